"""What scripts know of time."""

from __future__ import annotations

from typing import Final

NOW: Final = """
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
"""
