"""Every multi-step operation on Redis, each one Lua script.

All keys that a script touches start with the slate's hash tag, so they live on one node of a cluster. Those that the
server alone knows, of the version that `OPEN` gives out and of those that a flip retires, are spelled in the script; a
draft's rows come to `FLIP` among the arguments. The scripts use only what Redis 6.2 knows. After a loss of data numbers
of versions are given out again, so whoever writes to a version says which run he is: a version of another run's, or one
that is not there, is `GONE`.
"""

from __future__ import annotations

from typing import Final

SERVE: Final = """
local function serve(current, meta, version)
  local now = redis.call('TIME')
  local turn = math.max((redis.call('HGET', current, 'turn') or 0) + 1, now[1] * 1000000 + now[2])
  local about = {'version', version, 'turn', string.format('%.0f', turn)}
  local all = redis.call('HGETALL', meta)
  for i = 1, #all, 2 do
    local name = all[i]
    if name == 'published_at' or name == 'server_at' or name == 'cutoff' or name:sub(1, 7) == 'shards:' then
      about[#about + 1] = name
      about[#about + 1] = all[i + 1]
    end
  end
  redis.call('HSET', current, unpack(about))
end
"""
"""Copies what every read needs from a version's meta into the pointer; readers ask for the rest once per version.

`turn` only ever rises, also when an earlier version is served again, and over a loss of all data, after which versions
count from 1: readers order by it what they were served."""

RETIRE: Final = """
local function retire(current, versions, prefix, keep, grace)
  local served = redis.call('HGET', current, 'version')
  for _, old in ipairs(redis.call('ZREVRANGE', versions, keep, -1)) do
    if old ~= served then
      local meta = prefix .. old .. ':meta'
      local names = redis.call('HGET', meta, 'keys')
      for _, name in ipairs(names and cjson.decode(names) or {}) do redis.call('EXPIRE', name, grace) end
      redis.call('EXPIRE', meta, grace)
      redis.call('ZREM', versions, old)
    end
  end
end
"""
"""Lets versions beyond the kept ones expire after the grace, never the one that is served."""

OPEN: Final = """
-- KEYS: sequence, draft, current, versions   ARGV: ttl, prefix, field, value, ...   returns the version
-- given out and written down at once: after a loss of data in between it would be given out to another run too
local version, meta
-- a server that evicts what has no lifetime may have lost the sequence alone: no number below one that was published,
-- which would lose against it at an equal cutoff, and none of a draft that is there
local newest = tonumber(redis.call('HGET', KEYS[3], 'newest') or 0)
newest = math.max(newest, tonumber(redis.call('ZREVRANGE', KEYS[4], 0, 0)[1] or 0))
if tonumber(redis.call('GET', KEYS[1]) or 0) < newest then redis.call('SET', KEYS[1], newest) end
repeat
  version = redis.call('INCR', KEYS[1])
  meta = ARGV[2] .. version .. ':meta'
until redis.call('EXISTS', meta) == 0
redis.call('HSET', meta, unpack(ARGV, 3))
redis.call('EXPIRE', meta, ARGV[1])
redis.call('SET', KEYS[2], version, 'EX', ARGV[1])
return version
"""

RESUME: Final = """
-- KEYS: meta   ARGV: cutoff, ttl   a version that its run was publishing when it died takes rows again
local known = redis.call('HMGET', KEYS[1], 'state', 'cutoff')
if (known[1] ~= 'open' and known[1] ~= 'sealed') or known[2] ~= ARGV[1] then return {} end
redis.call('HSET', KEYS[1], 'state', 'open')
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
"""

ENTER: Final = """
-- KEYS: meta, draft, receipts   ARGV: ttl, run, field, columns
local state, run = unpack(redis.call('HMGET', KEYS[1], 'state', 'run_id'))
if run ~= ARGV[2] then return redis.error_reply('GONE') end
if state ~= 'open' then return redis.error_reply('CLOSED ' .. state) end
redis.call('HSETNX', KEYS[1], ARGV[3], ARGV[4])
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return redis.call('HGET', KEYS[1], ARGV[3])
"""

STAGE: Final = """
-- KEYS: data, meta   ARGV: ttl, run, command, arguments...
-- rows and their lifetime arrive together or not at all
local state, run = unpack(redis.call('HMGET', KEYS[2], 'state', 'run_id'))
if run ~= ARGV[2] then return redis.error_reply('GONE') end
if state ~= 'open' then return redis.error_reply('CLOSED ' .. state) end
redis.call(ARGV[3], KEYS[1], unpack(ARGV, 4))
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""

MORTAL: Final = """
-- KEYS: data...   ARGV: ttl   gives a lifetime to keys that have none
for _, key in ipairs(KEYS) do
  if redis.call('TTL', key) == -1 then redis.call('EXPIRE', key, ARGV[1]) end
end
return #KEYS
"""

SEAL: Final = """
-- KEYS: meta, receipts   ARGV: run   returns the receipts
local state, run = unpack(redis.call('HMGET', KEYS[1], 'state', 'run_id'))
if run ~= ARGV[1] then return redis.error_reply('GONE') end
if state == 'open' then redis.call('HSET', KEYS[1], 'state', 'sealed') end
return {state, redis.call('HGETALL', KEYS[2])}
"""

SETTLE: Final = """
-- KEYS: meta   ARGV: run, field, value, ...   notes what is known of a verified version
local state, run = unpack(redis.call('HMGET', KEYS[1], 'state', 'run_id'))
if run ~= ARGV[1] or (state ~= 'sealed' and state ~= 'published') then return redis.error_reply('GONE') end
if state == 'published' then return 0 end
return redis.call('HSET', KEYS[1], unpack(ARGV, 2))
"""

DICTIONARY: Final = """
-- KEYS: meta   ARGV: run, field, dictionary   the first one stays, and is returned
if redis.call('HGET', KEYS[1], 'run_id') ~= ARGV[1] then return redis.error_reply('GONE') end
redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3])
return redis.call('HGET', KEYS[1], ARGV[2])
"""

FLIP: Final = f"""{SERVE}{RETIRE}
-- KEYS: current, versions, meta
-- ARGV: version, cutoff, keep, grace, prefix, channel, message, ttl, elapsed, run, then draft's key, key, size, ...
local version, cutoff = tonumber(ARGV[1]), tonumber(ARGV[2])
local cur = redis.call('HMGET', KEYS[1], 'newest', 'newest_cutoff', 'pinned', 'version')
local state, run = unpack(redis.call('HMGET', KEYS[3], 'state', 'run_id'))
if run ~= ARGV[10] then return redis.error_reply('GONE') end
if state == 'published' and redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {{'again', cur[4]}} end
if state ~= 'sealed' then return redis.error_reply('GONE') end
if cur[1] and (cutoff < tonumber(cur[2]) or (cutoff == tonumber(cur[2]) and version <= tonumber(cur[1]))) then
  return redis.error_reply('STALE ' .. cur[1])
end
for i = 11, #ARGV, 3 do
  local kind = redis.call('TYPE', ARGV[i])['ok']
  local have = redis.call(kind == 'zset' and 'ZCARD' or 'HLEN', ARGV[i])
  if have ~= tonumber(ARGV[i + 2]) then
    return redis.error_reply('INCOMPLETE ' .. ARGV[i] .. ' ' .. have .. ' ' .. ARGV[i + 2])
  end
end
for i = 11, #ARGV, 3 do
  redis.call('RENAME', ARGV[i], ARGV[i + 1])
  redis.call('EXPIRE', ARGV[i + 1], ARGV[8])
end
redis.call('EXPIRE', KEYS[3], ARGV[8])
redis.call('HSET', KEYS[3], 'state', 'published', 'server_at', redis.call('TIME')[1] - ARGV[9])
redis.call('ZADD', KEYS[2], version, ARGV[1])
redis.call('HSET', KEYS[1], 'newest', ARGV[1], 'newest_cutoff', ARGV[2])
if not cur[3] then
  serve(KEYS[1], KEYS[3], ARGV[1])
  redis.call('PUBLISH', ARGV[6], ARGV[7])
end
retire(KEYS[1], KEYS[2], ARGV[5], ARGV[3], ARGV[4])
return {{cur[3] and 'kept' or 'served', redis.call('HGET', KEYS[1], 'version')}}
"""

TURN: Final = f"""{SERVE}
-- KEYS: current, versions
-- ARGV: version (empty: the newest), pin (1, 0 or empty to leave it), channel, day, prefix
-- point readers at a version that was published before; returns it, or nothing where none ever was
local version = ARGV[1]
if version == '' then version = redis.call('HGET', KEYS[1], 'newest') end
if not version then return false end
local meta = ARGV[5] .. version .. ':meta'
if redis.call('HGET', meta, 'state') ~= 'published' or not redis.call('ZSCORE', KEYS[2], version) then
  return redis.error_reply('UNKNOWN ' .. version)
end
if ARGV[2] == '1' then redis.call('HSET', KEYS[1], 'pinned', '1') end
if ARGV[2] == '0' then redis.call('HDEL', KEYS[1], 'pinned') end
if redis.call('HGET', KEYS[1], 'version') ~= version then
  serve(KEYS[1], meta, version)
  redis.call('PUBLISH', ARGV[3], ARGV[4] .. '=' .. version)
end
return version
"""

ABANDON: Final = """
-- KEYS: meta, draft, receipts, data...   ARGV: run   returns how many are gone
local state, run = unpack(redis.call('HMGET', KEYS[1], 'state', 'run_id'))
if run ~= ARGV[1] or state == 'published' then return 0 end
-- what a server without memory takes; a draft without meta takes no more rows
return redis.call('UNLINK', unpack(KEYS))
"""

NOW: Final = "return redis.call('TIME')"
"""KEYS: any of the slate   the clock of the node that holds it"""
