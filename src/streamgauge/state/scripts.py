"""The Lua scripts of the checkpoint protocol. Each is one atomic step and one replication unit."""

from __future__ import annotations

#: KEYS: hash. ARGV: owner, generation, force, first position.
ACQUIRE = """
local k = KEYS[1]
local gen = tonumber(redis.call('HGET', k, 'gen') or '-1')
if tonumber(ARGV[2]) < gen and ARGV[3] ~= '1' then return {'STALE_GENERATION', tostring(gen)} end
local created = redis.call('HSETNX', k, 'next', ARGV[4])
local epoch = redis.call('HINCRBY', k, 'epoch', 1)
redis.call('HSET', k, 'owner', ARGV[1], 'gen', ARGV[2])
return {'OK', tostring(epoch), redis.call('HGET', k, 'next'), tostring(created)}
"""

#: KEYS: hash, view. ARGV: owner, epoch, base, next, meta, n, m, (model-id, blob) * n,
#: (view field, view) * m, (outbox id, payload) to the end. ``unpack`` fails near 8,000 values,
#: hence the slices.
CHECKPOINT = """
local k = KEYS[1]
local cur = redis.call('HMGET', k, 'owner', 'epoch', 'next')
if cur[1] ~= ARGV[1] or cur[2] ~= ARGV[2] then
  return {'FENCED', cur[1] or '', cur[2] or '', cur[3] or ''}
end
if cur[3] ~= ARGV[3] then return {'CONFLICT', cur[1], cur[2], cur[3] or ''} end
local function put(key, prefix, first, last)
  for i = first, last, 1000 do
    local h, gone = {}, {}
    for j = i, math.min(i + 998, last - 1), 2 do
      if ARGV[j+1] == '' then
        gone[#gone+1] = prefix .. ARGV[j]
      else
        h[#h+1] = prefix .. ARGV[j]; h[#h+1] = ARGV[j+1]
      end
    end
    if #h > 0 then redis.call('HSET', key, unpack(h)) end
    if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  end
end
local s = 7 + 2 * tonumber(ARGV[6])
local v = s + 2 * tonumber(ARGV[7])
put(k, 's:', 8, s)
put(KEYS[2], '', s + 1, v)
for i = v + 1, #ARGV, 2 do redis.call('HSETNX', k, 'o:' .. ARGV[i], ARGV[i+1]) end
redis.call('HSET', k, 'next', ARGV[4], 'meta', ARGV[5])
return {'OK'}
"""
