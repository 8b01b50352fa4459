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

/**
 * Requests that the ledger's sum of a budget leaves out, because they are counted one by one although they started before
 * it ends. \`mark\` tells whether one was not known as such. \`drop\` takes a sum out of a window: the next who asks has it
 * read anew.
 */
export const OLDER = `
local function budgetOf(name) return string.match(name, '^(.*):%d+$') end
local function mark(older, name, id) return redis.call('SADD', older .. budgetOf(name), id) == 1 end
local function drop(window)
  redis.call('HDEL', window, 'before')
  redis.call('HINCRBY', window, 'version', 1)
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
local function count(prefix, from, n, older, id)
  for k = 0, n - 1 do
    local at = from + k * 4
    local window = prefix .. ARGV[at]
    redis.call('HINCRBY', window, 'settled', ARGV[at + 1])
    local reach = ARGV[at + 3]
    if older and reach ~= '0' and (mark(older, ARGV[at], id) or reach == '2') then drop(window) end
    if ARGV[at + 2] ~= '0' then redis.call('PEXPIREAT', window, ARGV[at + 2]) end
  end
end
`;

/**
 * What requests came to, each batch once: its number follows the last one of its owner. A request that nobody named before
 * may be in the ledger's sum already: that is read anew, without it. So is the sum of one that passed without an answer:
 * the question that named it may have come late.
 * KEYS: state, holds, expired holds, batch numbers.
 * ARGV: generation, owner, number, prefix of windows, prefix of older requests, and for each request id, count of windows,
 * and for each window name, amount, when it may be forgotten, does the ledger's sum reach beyond its start? (0 no, 1 yes, 2
 * yes, and it passed without an answer)
 */
export const SETTLE = script(`${PARTS}${OLDER}${END}
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'stale' end
local last = tonumber(redis.call('HGET', KEYS[4], ARGV[2]) or '-1')
local number = tonumber(ARGV[3])
if number <= last then return 'ok' end
if last < 0 or number ~= last + 1 then return 'gap' end
local at = 6
while at <= #ARGV do
  local id, n = ARGV[at], tonumber(ARGV[at + 1])
  finish(KEYS[2], KEYS[3], ARGV[4], id)
  count(ARGV[4], at + 2, n, ARGV[5], id)
  at = at + 2 + n * 4
end
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
return 'ok'
`);

/**
 * What the ledger says of requests whose process died: only of those that are still held or charged.
 * KEYS: state, holds, expired holds. ARGV: generation, prefix, then as in SETTLE.
 */
export const RESOLVE = script(`${PARTS}${OLDER}${END}
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'stale' end
local at = 3
while at <= #ARGV do
  local id, n = ARGV[at], tonumber(ARGV[at + 1])
  if finish(KEYS[2], KEYS[3], ARGV[2], id) then count(ARGV[2], at + 2, n) end
  at = at + 2 + n * 4
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
 * A node names the requests that are on their way; with the last part it says that the ledger has every other one of its.
 * Where the books were opened without it, sums may lack what it brings: all are read anew.
 * KEYS: state, holds, batch numbers, joined nodes. ARGV: generation, owner, batch number, prefix of windows, prefix of older
 * requests, has nothing to tell?, last part?, then id and hold text.
 */
export const JOIN = script(`${PARTS}${OLDER}
local state = redis.call('HMGET', KEYS[1], 'id', 'open')
if state[1] ~= ARGV[1] then return 'stale' end
for at = 8, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[2], ARGV[at], ARGV[at + 1]) == 1 then
    for name, amount in parts(ARGV[at + 1]) do
      mark(ARGV[5], name, ARGV[at])
      redis.call('HINCRBY', ARGV[4] .. name, 'held', amount)
    end
  end
end
if ARGV[7] == '1' then
  if state[2] == '1' and ARGV[6] ~= '1' then redis.call('HINCRBY', KEYS[1], 'epoch', 1) end
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
  redis.call('SADD', KEYS[4], ARGV[2])
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

/**
 * Puts the ledger's sum into a window, unless the sum was dropped or put in since the reading began.
 * KEYS: state, window. ARGV: generation, amount, when it may be forgotten, epoch of the books and version of the window as
 * they were before the reading.
 */
export const SET_BEFORE = script(`
local state = redis.call('HMGET', KEYS[1], 'id', 'epoch')
if state[1] ~= ARGV[1] then return 'stale' end
if (state[2] or '0') ~= ARGV[4] then return 'again' end
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[5] then return 'again' end
redis.call('HSET', KEYS[2], 'before', ARGV[2], 'epoch', ARGV[4])
redis.call('HINCRBY', KEYS[2], 'version', 1)
if ARGV[3] ~= '0' then redis.call('PEXPIREAT', KEYS[2], ARGV[3]) end
return 'ok'
`);

/**
 * What windows hold. KEYS: state, windows. ARGV: generation.
 * Answers stale, or the epoch of the books and for each window the ledger's sum (empty where it has to be read), what was
 * settled, what is held, version.
 */
export const READ_WINDOWS = script(`
local state = redis.call('HMGET', KEYS[1], 'id', 'epoch')
if state[1] ~= ARGV[1] then return {'stale'} end
local epoch = state[2] or '0'
local out = {epoch}
for k = 2, #KEYS do
  local sums = redis.call('HMGET', KEYS[k], 'before', 'settled', 'held', 'version', 'epoch')
  out[#out + 1] = sums[1] and sums[5] == epoch and sums[1] or ''
  out[#out + 1] = sums[2] or '0'
  out[#out + 1] = sums[3] or '0'
  out[#out + 1] = sums[4] or '0'
end
return out
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
