"""The scripts of a paid account: credits reserved and settled."""

from __future__ import annotations

from typing import Final

from backstop.net.scripts.clock import NOW

RESERVE: Final = (
    NOW
    + """
-- KEYS left reserved until; ARGV now name amount floor life_ms period
-- the feed's word of an earlier period is none: credits come back with the next one
-- returns {1 granted or 0, credits left by the feed's word or -1, credits reserved by others}
local now, amount = clock(ARGV[1]), tonumber(ARGV[3])
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  redis.call('ZREM', KEYS[3], lost)
  redis.call('HDEL', KEYS[2], lost)
end
local reserved = 0
for _, held in ipairs(redis.call('HVALS', KEYS[2])) do reserved = reserved + held end
local known = redis.call('HMGET', KEYS[1], 'left', 'period')
local left = (known[2] or '') >= ARGV[6] and tonumber(known[1]) or -1
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
-- KEYS left reserved until; ARGV name left used period life_ms overtaking; `left` empty when the feed said nothing
-- answers overtake each other: within a period the one with more credits used is the newer, unless so much fewer are
-- used that none of those under way can say so: the feed began to count anew
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[2] ~= '' then
  local known = redis.call('HMGET', KEYS[1], 'used', 'period')
  local newer = not known[2] or known[2] < ARGV[4]
  if known[2] == ARGV[4] then
    local back = tonumber(known[1]) - tonumber(ARGV[3])
    newer = back <= 0 or back > tonumber(ARGV[6])
  end
  if newer then
    redis.call('HSET', KEYS[1], 'left', ARGV[2], 'used', ARGV[3], 'period', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
  end
end
return tonumber(redis.call('HGET', KEYS[1], 'left') or '-1')
"""
