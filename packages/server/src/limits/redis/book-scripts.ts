import { script } from './script.ts';

/** Parts of a hold: everything after its second bar. */
export const PARTS = `
local function parts(text)
  return string.gmatch(string.match(text, '^[^|]*|[^|]*|(.*)$'), '([^=,]+)=(%d+)')
end
local function less(key, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', key, field, '-' .. amount) end
end
`;

/** Ends a hold: gives back what it kept, or what was charged for it when its owner seemed dead. */
const END = `
local function finish(holds, expired, prefix, id)
  local text = redis.call('HGET', holds, id)
  if text then
    redis.call('HDEL', holds, id)
    for name, amount in parts(text) do less(prefix .. name, 'held', amount) end
    return true
  end
  text = redis.call('HGET', expired, id)
  if not text then return false end
  redis.call('HDEL', expired, id)
  for name, amount in parts(text) do less(prefix .. name, 'settled', amount) end
  return true
end
local function count(prefix, from, n)
  for k = 0, n - 1 do
    local at = from + k * 3
    redis.call('HINCRBY', prefix .. ARGV[at], 'settled', ARGV[at + 1])
    if ARGV[at + 2] ~= '0' then redis.call('PEXPIREAT', prefix .. ARGV[at], ARGV[at + 2]) end
  end
end
`;

/**
 * What requests came to, each batch once: its number follows the last one of its owner.
 * KEYS: state, holds, expired holds, batch numbers, requests older than the books.
 * ARGV: generation, owner, number, prefix, and for each request id, older than the books?, count of windows, and for
 * each window name, amount, when it may be forgotten.
 */
export const SETTLE = script(`${PARTS}${END}
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'stale' end
local last = tonumber(redis.call('HGET', KEYS[4], ARGV[2]) or '-1')
local number = tonumber(ARGV[3])
if number <= last then return 'ok' end
if last < 0 or number ~= last + 1 then return 'gap' end
local at = 5
while at <= #ARGV do
  local id, n = ARGV[at], tonumber(ARGV[at + 2])
  finish(KEYS[2], KEYS[3], ARGV[4], id)
  if ARGV[at + 1] == '1' then redis.call('SADD', KEYS[5], id) end
  count(ARGV[4], at + 3, n)
  at = at + 3 + n * 3
end
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
return 'ok'
`);

/**
 * What the ledger says of requests whose process died: only of those that are still held or charged.
 * KEYS: state, holds, expired holds. ARGV: generation, prefix, then as in SETTLE.
 */
export const RESOLVE = script(`${PARTS}${END}
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'stale' end
local at = 3
while at <= #ARGV do
  local id, n = ARGV[at], tonumber(ARGV[at + 2])
  if finish(KEYS[2], KEYS[3], ARGV[2], id) then count(ARGV[2], at + 3, n) end
  at = at + 3 + n * 3
end
return 'ok'
`);

/** Renews the owner's lease, and tells how things stand. KEYS: state, nodes. ARGV: owner, lease, patience with the dead. */
export const BEAT = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'id', 'open', 'from', 'since')
local live = redis.call('ZCOUNT', KEYS[2], string.format('%.0f', now), '+inf')
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[3]), 'LIMIT', 0, 10)
return {string.format('%.0f', now), state[1] or '', state[2] or '', state[3] or '0', state[4] or '0', tostring(live), dead}
`);

/**
 * Begins new books, unless somebody else did. Requests that start before \`from\` are the ledger's to sum, but for those
 * that the nodes name; it lies ahead by as much as clocks may differ. KEYS: state. ARGV: expected, new, clock allowance.
 */
export const BEGIN = script(`
local current = redis.call('HGET', KEYS[1], 'id') or ''
if current ~= ARGV[1] then return current end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'open', '0', 'from', string.format('%.0f', now + ARGV[3]),
  'since', string.format('%.0f', now))
return ARGV[2]
`);

/**
 * A node names the requests that are on their way. KEYS: state, holds, requests older than the books, batch numbers,
 * joined nodes. ARGV: generation, owner, batch number, prefix, has nothing to tell?, last part?, then id and hold text.
 */
export const JOIN = script(`${PARTS}
local state = redis.call('HMGET', KEYS[1], 'id', 'open')
if state[1] ~= ARGV[1] then return 'stale' end
if state[2] == '1' and ARGV[5] ~= '1' then return 'late' end
for at = 7, #ARGV, 2 do
  redis.call('SADD', KEYS[3], ARGV[at])
  if redis.call('HSETNX', KEYS[2], ARGV[at], ARGV[at + 1]) == 1 then
    for name, amount in parts(ARGV[at + 1]) do redis.call('HINCRBY', ARGV[4] .. name, 'held', amount) end
  end
end
if ARGV[6] == '1' then
  redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
  redis.call('SADD', KEYS[5], ARGV[2])
end
return 'ok'
`);

/** Opens the books once every live node has joined, or waited for long enough. KEYS: state, joined. ARGV: generation, live, least and longest wait. */
export const OPEN = script(`
local state = redis.call('HMGET', KEYS[1], 'id', 'open', 'since')
if state[1] ~= ARGV[1] then return 'stale' end
if state[2] == '1' then return 'ok' end
local time = redis.call('TIME')
local waited = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(state[3])
if waited < tonumber(ARGV[3]) then return 'wait' end
if redis.call('SCARD', KEYS[2]) < tonumber(ARGV[2]) and waited < tonumber(ARGV[4]) then return 'wait' end
redis.call('HSET', KEYS[1], 'open', '1')
return 'ok'
`);

/** Puts the ledger's sum into a window. KEYS: state, window. ARGV: generation, amount, only if there is none?, when it may be forgotten. */
export const SET_BEFORE = script(`
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'stale' end
if ARGV[3] == '1' then redis.call('HSETNX', KEYS[2], 'before', ARGV[2])
else redis.call('HSET', KEYS[2], 'before', ARGV[2]) end
if ARGV[4] ~= '0' then redis.call('PEXPIREAT', KEYS[2], ARGV[4]) end
return 'ok'
`);

/**
 * Charges what a node that is gone held, at the bound: as its rows will say. KEYS: nodes, holds, expired holds.
 * ARGV: owner, prefix, patience. Returns how many.
 */
export const EXPIRE = script(`${PARTS}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease or tonumber(lease) > now - ARGV[3] then return 0 end
local all = redis.call('HGETALL', KEYS[2])
for at = 1, #all, 2 do
  for name, amount in parts(all[at + 1]) do
    less(ARGV[2] .. name, 'held', amount)
    redis.call('HINCRBY', ARGV[2] .. name, 'settled', amount)
  end
  redis.call('HSET', KEYS[3], all[at], all[at + 1])
end
if #all > 0 then redis.call('PEXPIRE', KEYS[3], 3888000000) end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
return #all / 2
`);
