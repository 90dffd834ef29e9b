"""Every multi-step operation on Redis, each one Lua script behind a typed function.

All keys that a script touches start with the slate's hash tag, so they live on one node of a cluster. The scripts use
only what Redis 6.2 knows.
"""

from __future__ import annotations

from typing import Any, Final

Client = Any
"""A `redis.Redis` or `redis.cluster.RedisCluster`: their stubs share no base class that has `eval`."""

ENTER: Final = """
-- KEYS: meta, draft, receipts   ARGV: ttl, field, columns
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return redis.error_reply('GONE') end
if state ~= 'open' then return redis.error_reply('CLOSED ' .. state) end
redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3])
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return redis.call('HGET', KEYS[1], ARGV[2])
"""

STAGE: Final = """
-- KEYS: data, meta   ARGV: ttl, command, arguments...
-- rows and their lifetime arrive together or not at all
if redis.call('HGET', KEYS[2], 'state') ~= 'open' then return redis.error_reply('CLOSED') end
redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3))
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""

SEAL: Final = """
-- KEYS: meta, receipts   returns the receipts
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return redis.error_reply('GONE') end
if state == 'open' then redis.call('HSET', KEYS[1], 'state', 'sealed') end
return {state, redis.call('HGETALL', KEYS[2])}
"""

FLIP: Final = """
-- KEYS: current, versions, meta
-- ARGV: version, cutoff, keep, ttl, grace, prefix, channel, message, n, then n times (key, size), then pointer fields
local version, cutoff = tonumber(ARGV[1]), tonumber(ARGV[2])
local cur = redis.call('HMGET', KEYS[1], 'newest', 'newest_cutoff', 'pinned', 'version')
if redis.call('HGET', KEYS[3], 'state') == 'published' and redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return {'again', cur[4]}
end
if cur[1] and (cutoff < tonumber(cur[2]) or (cutoff == tonumber(cur[2]) and version <= tonumber(cur[1]))) then
  return redis.error_reply('STALE ' .. cur[1] .. ' ' .. cur[2])
end
if redis.call('HGET', KEYS[3], 'state') ~= 'sealed' then return redis.error_reply('GONE') end
local n = tonumber(ARGV[9])
for i = 1, n do
  local key, size = ARGV[8 + 2 * i], tonumber(ARGV[9 + 2 * i])
  local type = redis.call('TYPE', key)['ok']
  local have = (type == 'hash' and redis.call('HLEN', key)) or (type == 'zset' and redis.call('ZCARD', key)) or 0
  if have ~= size then return redis.error_reply('INCOMPLETE ' .. key .. ' ' .. have .. ' ' .. size) end
end
redis.call('HSET', KEYS[3], 'state', 'published')
redis.call('ZADD', KEYS[2], version, ARGV[1])
redis.call('HSET', KEYS[1], 'newest', ARGV[1], 'newest_cutoff', ARGV[2])
local served = 'kept'
if not cur[3] then
  served = 'served'
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'cutoff', ARGV[2], 'server_at', time[1],
    unpack(ARGV, 10 + 2 * n))
end
for _, old in ipairs(redis.call('ZREVRANGE', KEYS[2], ARGV[3], -1)) do
  if old ~= redis.call('HGET', KEYS[1], 'version') then
    redis.call('ZREM', KEYS[2], old)
    local meta = ARGV[6] .. old .. ':meta'
    local names = redis.call('HGET', meta, 'keys')
    if names then
      for _, name in ipairs(cjson.decode(names)) do redis.call('EXPIRE', name, ARGV[5]) end
    end
    redis.call('EXPIRE', meta, ARGV[5])
  end
end
redis.call('PUBLISH', ARGV[7], ARGV[8])
return {served, ARGV[1]}
"""

READ: Final = """
-- KEYS: current   ARGV: prefix, n, kinds..., ids...   one round trip for any number of players
local cur = redis.call('HGETALL', KEYS[1])
if #cur == 0 then return {cur, 0, 0} end
local field = {}
for i = 1, #cur, 2 do field[cur[i]] = cur[i + 1] end
local base, n, out = ARGV[1] .. field['version'] .. ':', tonumber(ARGV[2]), {}
for k = 1, n do
  local kind, shards = ARGV[2 + k], tonumber(field['shards:' .. ARGV[2 + k]] or '1')
  local found, wanted, places = {}, {}, {}
  for i = 3 + n, #ARGV do
    local shard = ARGV[i] % shards
    wanted[shard] = wanted[shard] or {}
    places[shard] = places[shard] or {}
    table.insert(wanted[shard], ARGV[i])
    table.insert(places[shard], i - 2 - n)
  end
  for shard, ids in pairs(wanted) do
    local values = redis.call('HMGET', base .. kind .. ':' .. string.format('%d', shard), unpack(ids))
    for j, place in ipairs(places[shard]) do found[place] = values[j] end
  end
  out[k] = found
end
return {cur, redis.call('TIME')[1], redis.call('EXISTS', base .. 'meta'), out}
"""
