"""The scripts of a feed's breaker: may a request go, how did it go, a probe that was cancelled."""

from __future__ import annotations

from typing import Final

from backstop.net.scripts.clock import NOW

BREAKER: Final = (
    NOW
    + """
local SLICES = 10
local function load(key)
  local v = redis.call('HMGET', key, 'state', 'until', 'openings', 'opened_at', 'probe')
  return {state = v[1] or 'closed', till = tonumber(v[2]) or 0, openings = tonumber(v[3]) or 0,
          opened_at = tonumber(v[4]) or 0, probe = v[5] or ''}
end
local function save(key, b, life)
  redis.call('HSET', key, 'state', b.state, 'until', tostring(b.till), 'openings', tostring(b.openings),
    'opened_at', tostring(b.opened_at), 'probe', b.probe)
  redis.call('PEXPIRE', key, life)
end
local function forget(key)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.match(field, '^[of]%d+$') then redis.call('HDEL', key, field) end
  end
end
local function pause_of(openings, first, longest)
  return math.min(longest, first * 2 ^ math.max(0, openings - 1))
end
local function tell(channel, feed, worker, before, b, now, reason)
  redis.call('PUBLISH', channel, table.concat({'breaker', feed, worker, before, b.state,
    tostring(math.max(0, b.till - now)), tostring(b.opened_at), reason}, '|'))
end
"""
)

ASK: Final = (
    BREAKER
    + """
-- KEYS breaker; ARGV channel now feed worker token probe_ms first longest life
-- returns {granted, probe, state, ms until another try makes sense}
local now, b = clock(ARGV[2]), load(KEYS[1])
if b.state == 'closed' then return {1, 0, b.state, 0} end
if now < b.till then return {0, 0, b.state, math.ceil(b.till - now)} end
local before = b.state
b.state, b.till, b.probe = 'half-open', now + tonumber(ARGV[6]), ARGV[5]
save(KEYS[1], b, tonumber(ARGV[9]))
if before == 'open' then
  local pause = pause_of(b.openings, tonumber(ARGV[7]), tonumber(ARGV[8]))
  tell(ARGV[1], ARGV[3], ARGV[4], before, b, now, 'the pause of ' .. string.format('%g', pause / 1000) .. ' s is over')
end
return {1, 1, b.state, 0}
"""
)

REPORT: Final = (
    BREAKER
    + """
-- KEYS breaker; ARGV channel now feed worker token good bad window at_least share first longest life
-- `token` is that of a probe, empty otherwise
-- returns {state, ms until another try makes sense, opened at, last success at}
local now, b = clock(ARGV[2]), load(KEYS[1])
local token, good, bad = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local window, life = tonumber(ARGV[8]), tonumber(ARGV[13])
local first, longest = tonumber(ARGV[11]), tonumber(ARGV[12])
if good > 0 then redis.call('HSET', KEYS[1], 'success_at', tostring(now)) end

local function open(reason)
  local before = b.state
  if before == 'closed' then b.opened_at = now end
  b.openings = b.openings + 1
  b.state, b.till, b.probe = 'open', now + pause_of(b.openings, first, longest), ''
  forget(KEYS[1])
  save(KEYS[1], b, life)
  tell(ARGV[1], ARGV[3], ARGV[4], before, b, now, reason)
end

if b.state == 'half-open' and token ~= '' and token == b.probe then
  if bad > 0 then
    open('the probe failed')
  else
    local before = b.state
    forget(KEYS[1])
    b = {state = 'closed', till = 0, openings = 0, opened_at = 0, probe = ''}
    save(KEYS[1], b, life)
    tell(ARGV[1], ARGV[3], ARGV[4], before, b, now, 'the probe was answered')
  end
elseif b.state == 'closed' and token == '' then
  local slice = math.floor(now * SLICES / window)
  if good > 0 then redis.call('HINCRBY', KEYS[1], 'o' .. string.format('%.0f', slice), good) end
  if bad > 0 then redis.call('HINCRBY', KEYS[1], 'f' .. string.format('%.0f', slice), bad) end
  local total, failed = 0, 0
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    local kind, at = string.match(fields[i], '^([of])(%d+)$')
    if kind then
      if tonumber(at) <= slice - SLICES then
        redis.call('HDEL', KEYS[1], fields[i])
      else
        total = total + fields[i + 1]
        if kind == 'f' then failed = failed + fields[i + 1] end
      end
    end
  end
  redis.call('PEXPIRE', KEYS[1], life)
  if bad > 0 and total >= tonumber(ARGV[9]) and failed >= tonumber(ARGV[10]) * total then
    open(string.format('%d of the last %d requests failed', failed, total))
  end
end
return {b.state, math.max(0, math.ceil(b.till - now)), tostring(b.opened_at),
  redis.call('HGET', KEYS[1], 'success_at') or '0'}
"""
)

GIVE_UP: Final = (
    BREAKER
    + """
-- KEYS breaker; ARGV channel now feed worker token life: a probe that was cancelled; another may go at once
local now, b = clock(ARGV[2]), load(KEYS[1])
if b.state == 'half-open' and b.probe == ARGV[5] then
  b.till, b.probe = now, ''
  save(KEYS[1], b, tonumber(ARGV[6]))
  tell(ARGV[1], ARGV[3], ARGV[4], b.state, b, now, 'the probe was cancelled')
end
return 1
"""
)
