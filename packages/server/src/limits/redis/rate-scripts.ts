import { script } from './script.ts';

/**
 * A count is a hash: what is held, the amounts of the last slices of time by their number, and the level of its bucket.
 * Beside it stand its leases by when they end unless they are renewed: what a node held that died is given back, and
 * tokens that nobody told of count as what was held. Redis tells the time. All numbers are whole and below 2^53.
 */
export const COUNT = `
local SLICES = 20
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function text(number) return string.format('%.0f', number) end
local function newest(slice) if slice > 0 then return math.floor(now / slice) end return 0 end
local function read(key, leases, kind, slice)
  local count = { held = 0, settled = 0, level = 0, at = now, slices = {}, newest = newest(slice) }
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local field, value = fields[i], tonumber(fields[i + 1])
    if count[field] ~= nil and field ~= 'slices' and field ~= 'newest' then count[field] = value
    elseif tonumber(field) > count.newest - SLICES - 1 then
      count.settled = count.settled + value
      count.slices[field] = value
    else redis.call('HDEL', key, field) end
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', text(now))) do
    redis.call('ZREM', leases, member)
    local amount = tonumber(string.match(member, '=(%d+)$'))
    if kind == 't' and amount > 0 then
      count.held = redis.call('HINCRBY', key, 'held', text(-amount))
      local field = text(count.newest)
      count.slices[field] = redis.call('HINCRBY', key, field, text(amount))
      count.settled = count.settled + amount
    end
  end
  if kind == 'c' then count.held = redis.call('ZCARD', leases) end
  return count
end
local function free(count, slice, amount)
  local left = amount
  for number = count.newest - SLICES, count.newest do
    left = left - (count.slices[text(number)] or 0)
    if left <= 0 then return math.max(0, math.ceil((number + SLICES + 1) * slice - now)) end
  end
  return SLICES * slice
end
local function drained(count, units) return math.max(0, count.level - (now - count.at) * units) end
local function pour(key, count, units, amount)
  redis.call('HSET', key, 'level', text(math.max(0, drained(count, units) + amount)), 'at', text(now))
end
`;

/**
 * Ends what a lease has in some counts, each once.
 * KEYS: for each its hash and its leases. ARGV: lease, and for each kind, what was held, what it came to, is it taken
 * back?, the slice it was counted in, length of a slice, units and per millisecond of its bucket.
 */
export const END_RATE = script(`${COUNT}
local n = (#ARGV - 1) / 8
for i = 1, n do
  local at = 1 + (i - 1) * 8
  local key, leases, kind = KEYS[i * 2 - 1], KEYS[i * 2], ARGV[at + 1]
  local held, actual = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local slice, units, per = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8])
  local count, change = read(key, leases, kind, slice), 0
  if kind == 'r' then
    if ARGV[at + 4] == '1' and (count.slices[ARGV[at + 5]] or 0) >= held then
      redis.call('HINCRBY', key, ARGV[at + 5], text(-held))
      change = -held
    end
  elseif redis.call('ZREM', leases, ARGV[1] .. '=' .. ARGV[at + 2]) == 1 then
    if kind == 't' then redis.call('HINCRBY', key, 'held', text(-held)) end
    if actual > 0 then redis.call('HINCRBY', key, text(count.newest), text(actual)) end
    change = actual - held
  end
  if per > 0 and change ~= 0 then pour(key, count, units, change * per) end
end
return 'ok'
`);

/** Renews leases. KEYS: for each the hash and the leases. ARGV: how long they live, and for each its member and how long it is kept. */
export const RENEW_RATE = script(`${COUNT}
for i = 1, #KEYS / 2 do
  redis.call('ZADD', KEYS[i * 2], 'XX', text(now + tonumber(ARGV[1])), ARGV[i * 2])
  redis.call('PEXPIRE', KEYS[i * 2 - 1], ARGV[i * 2 + 1])
  redis.call('PEXPIRE', KEYS[i * 2], ARGV[i * 2 + 1])
end
return 'ok'
`);

/** How counts stand. KEYS: for each its hash and its leases. ARGV: kind and length of a slice. */
export const READ_RATE = script(`${COUNT}
local out = {}
for i = 1, #KEYS / 2 do
  local slice = tonumber(ARGV[2])
  local count = read(KEYS[i * 2 - 1], KEYS[i * 2], ARGV[1], slice)
  out[#out + 1] = text(count.settled)
  out[#out + 1] = text(count.held)
  out[#out + 1] = text(count.settled > 0 and slice > 0 and free(count, slice, count.settled) or 0)
end
return out
`);
