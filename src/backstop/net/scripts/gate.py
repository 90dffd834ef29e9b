"""The scripts of a host's gate: slots leased, given back, starts spaced."""

from __future__ import annotations

from typing import Final

from backstop.net.scripts.clock import NOW

LEASE: Final = (
    NOW
    + """
-- KEYS alive held want width pause
-- ARGV channel now worker ttl cap first_width in_use live props history good congested_age pause held_before
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
local known = redis.call('HMGET', KEYS[4], 'value', 'cautious', 'halved_at', 'progress', 'settling_until')
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

-- what was held is forgotten (a Redis that came back without its data): nobody gets more before all have had a beat
local settling_until = tonumber(known[5]) or 0
if not known[1] and ARGV[14] == '1' then
  settling_until = now + ttl / 2
  redis.call('HSET', KEYS[4], 'settling_until', tostring(settling_until))
end

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
if now < settling_until then mine = in_use end
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
