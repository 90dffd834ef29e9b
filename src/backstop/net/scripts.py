"""Lua scripts, one per multi-step operation; Redis runs each as a whole.

Times are milliseconds of the server's clock. Where a script takes `now`, an empty string means that clock: tests pass
their own. Every key that is written gets a lifetime.
"""

from __future__ import annotations

from typing import Final

NOW: Final = """
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
"""

LEASE: Final = (
    NOW
    + """
-- KEYS alive held want width pause
-- ARGV channel now worker ttl cap first_width in_use live props history good congested_age pause
-- returns {slots held, slots to come down or up to, width, ms until the pause ends, 1 if others are short}
local now, me, ttl = clock(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local cap, in_use = tonumber(ARGV[5]), tonumber(ARGV[7])
local good, congested_age, pause = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])

-- who did not renew in time is dead, and holds nothing
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], dead)
  redis.call('HDEL', KEYS[2], dead)
  redis.call('HDEL', KEYS[3], dead)
end

-- the width: doubling until the first congestion, then one more per round, halved once per congestion
local known = redis.call('HMGET', KEYS[4], 'value', 'cautious', 'halved_at', 'progress')
local width = tonumber(known[1]) or tonumber(ARGV[6])
local cautious, halved_at, progress = known[2] == '1', tonumber(known[3]) or -math.huge, tonumber(known[4]) or 0
local before = math.floor(width)
if good > 0 then
  if cautious then
    progress = progress + good
    while progress >= width and width < cap do
      progress = progress - width
      width = width + 1
    end
    if width >= cap then progress = 0 end
  else
    width = width + good
  end
end
if congested_age >= 0 and now - congested_age >= halved_at then
  width, cautious, halved_at, progress = width / 2, true, now, 0
end
width = math.max(1, math.min(cap, width))
redis.call('HSET', KEYS[4], 'value', tostring(width), 'cautious', cautious and '1' or '0',
  'halved_at', halved_at == -math.huge and '' or tostring(halved_at), 'progress', tostring(progress))
local whole = math.floor(width)

local pausing = math.max(redis.call('PTTL', KEYS[5]), 0)
if pause > pausing then
  redis.call('SET', KEYS[5], me, 'PX', pause)
  pausing = pause
end

-- shares: live games before props before history, within each the same for all, nobody more than he wants
redis.call('ZADD', KEYS[1], now + ttl, me)
local was_short = string.match(redis.call('HGET', KEYS[3], me) or '', 'short$')
redis.call('HSET', KEYS[3], me, ARGV[8] .. ',' .. ARGV[9] .. ',' .. ARGV[10])
local workers = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(workers)
local wants, share, held = {}, {}, {}
for _, w in ipairs(workers) do
  local a, b, c = string.match(redis.call('HGET', KEYS[3], w), '(%d+),(%d+),(%d+)')
  wants[w] = {tonumber(a), tonumber(b), tonumber(c)}
  share[w] = 0
  held[w] = tonumber(redis.call('HGET', KEYS[2], w) or '0')
end
local left = whole
for rank = 1, 3 do
  local queue = {}
  for _, w in ipairs(workers) do
    if wants[w][rank] > 0 then queue[#queue + 1] = w end
  end
  table.sort(queue, function(x, y)
    if wants[x][rank] ~= wants[y][rank] then return wants[x][rank] < wants[y][rank] end
    return x < y
  end)
  for i, w in ipairs(queue) do
    local part = math.min(wants[w][rank], math.floor(left / (#queue - i + 1)))
    share[w] = share[w] + part
    left = left - part
  end
end

local others = 0
for _, w in ipairs(workers) do
  if w ~= me then others = others + held[w] end
end
local mine = math.max(in_use, math.min(share[me], whole - others), 0)
held[me] = mine
redis.call('HSET', KEYS[2], me, mine)

local am_short = mine < wants[me][1] + wants[me][2] + wants[me][3]
if am_short then redis.call('HSET', KEYS[3], me, redis.call('HGET', KEYS[3], me) .. ',short') end

for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], i == 4 and 600000 or ttl * 4) end

-- tell the others when somebody could take more now, or should give some back
local total, short, over, crowd = 0, false, false, 0
for _, w in ipairs(workers) do
  total = total + held[w]
  if w ~= me then
    if held[w] < share[w] then short = true end
    if held[w] > share[w] then over = true end
    if held[w] < wants[w][1] + wants[w][2] + wants[w][3] then crowd = 1 end
  end
end
if (short and total < whole) or (over and mine < share[me]) or (am_short and not was_short)
  or whole < before or pause > 0 then
  redis.call('PUBLISH', ARGV[1], 'gate')
end
return {mine, share[me], whole, pausing, crowd}
"""
)

LEAVE: Final = """
-- KEYS alive held want width pause; ARGV channel worker: a worker that ends gives everything back at once
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('PUBLISH', ARGV[1], 'gate')
return 1
"""

PACE: Final = (
    NOW
    + """
-- KEYS next; ARGV now interval burst: the generic cell rate algorithm; returns ms until this start
local now, interval, burst = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local start = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local wait = math.max(0, math.ceil(start - interval * (burst - 1) - now))
redis.call('SET', KEYS[1], tostring(start + interval), 'PX', math.ceil(start + interval - now) + 1000)
return wait
"""
)

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

RESERVE: Final = (
    NOW
    + """
-- KEYS left reserved until; ARGV now name amount floor life_ms
-- returns {1 granted or 0, credits left by the feed's word or -1, credits reserved by others}
local now, amount = clock(ARGV[1]), tonumber(ARGV[3])
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  redis.call('ZREM', KEYS[3], lost)
  redis.call('HDEL', KEYS[2], lost)
end
local reserved = 0
for _, held in ipairs(redis.call('HVALS', KEYS[2])) do reserved = reserved + held end
local left = tonumber(redis.call('HGET', KEYS[1], 'left') or '-1')
if amount > 0 and left >= 0 and left - reserved - amount < tonumber(ARGV[4]) then return {0, left, reserved} end
if amount > 0 then
  redis.call('HSET', KEYS[2], ARGV[2], amount)
  redis.call('ZADD', KEYS[3], now + tonumber(ARGV[5]), ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[5] * 2)
  redis.call('PEXPIRE', KEYS[3], ARGV[5] * 2)
end
return {1, left, reserved}
"""
)

SETTLE: Final = """
-- KEYS left reserved until; ARGV name left used month life_ms; `left` empty when the feed said nothing
-- answers overtake each other: within a month the one with more credits used is the newer
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[2] ~= '' then
  local known = redis.call('HMGET', KEYS[1], 'used', 'month')
  local newer = not known[1] or known[2] < ARGV[4] or (known[2] == ARGV[4] and tonumber(ARGV[3]) >= tonumber(known[1]))
  if newer then
    redis.call('HSET', KEYS[1], 'left', ARGV[2], 'used', ARGV[3], 'month', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
  end
end
return tonumber(redis.call('HGET', KEYS[1], 'left') or '-1')
"""
