"""The scripts of shared calls: who asks, who waits, what came."""

from __future__ import annotations

from typing import Final

from backstop.net.scripts.clock import NOW

CLAIM: Final = (
    NOW
    + """
-- KEYS calls; ARGV now token lease_ms window_ms, then 1 per key that waited for an answer already, else 0
-- for each: {'lead'}, {'wait', ms until the leader counts as lost} or {'done', record, body}
local now, window = clock(ARGV[1]), tonumber(ARGV[4])
local out = {}
for i, key in ipairs(KEYS) do
  local v = redis.call('HMGET', key, 'token', 'record', 'body', 'at')
  if v[2] and (ARGV[4 + i] == '1' or now - tonumber(v[4]) <= window) then
    out[i] = {'done', v[2], v[3]}
  elseif v[1] and not v[2] then
    redis.call('HSET', key, 'waiters', '1')
    out[i] = {'wait', redis.call('PTTL', key)}
  else
    redis.call('DEL', key)
    redis.call('HSET', key, 'token', ARGV[2])
    redis.call('PEXPIRE', key, ARGV[3])
    out[i] = {'lead'}
  end
end
return out
"""
)

FINISH: Final = (
    NOW
    + """
-- KEYS calls; ARGV now channel token window_ms waited_ms, then name, record, body, error per key
-- an answer stays for the window, or longer where somebody waits who must be told first; an error goes by message only
local now, told = clock(ARGV[1]), 0
for i, key in ipairs(KEYS) do
  local at = 6 + (i - 1) * 4
  local v = redis.call('HMGET', key, 'token', 'waiters')
  if v[1] == ARGV[3] then
    if ARGV[at + 1] == '' then
      redis.call('DEL', key)
    else
      redis.call('HSET', key, 'record', ARGV[at + 1], 'body', ARGV[at + 2], 'at', tostring(now))
      redis.call('PEXPIRE', key, v[2] and ARGV[5] or ARGV[4])
    end
    if v[2] then
      redis.call('PUBLISH', ARGV[2], 'call|' .. ARGV[at] .. '|' .. ARGV[at + 3])
      told = told + 1
    end
  end
end
return told
"""
)

HOLD: Final = """
-- KEYS calls; ARGV token lease_ms: a leader that is still at it
for _, key in ipairs(KEYS) do
  if redis.call('HGET', key, 'token') == ARGV[1] then redis.call('PEXPIRE', key, ARGV[2]) end
end
return 1
"""
