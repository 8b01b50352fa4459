import { OLDER, PARTS } from './book-scripts.ts';
import { COUNT } from './rate-scripts.ts';
import { script } from './script.ts';

/**
 * Looks whether a request fits all of its budgets. Answers what to say, and what to do where it fits.
 * KEYS: state, holds of the owner, and the windows of each part, oldest first.
 * ARGV: generation, request, hold text, replaces?, prefix of older requests, prefix of windows, and for each part amount,
 * limit, mode (h refuses, s never, u has no amount), in how many of its first windows the ledger's sum must be there,
 * when the window it is filed in may be forgotten, how many windows, which of them it is filed in, does the ledger's sum
 * reach beyond its start?
 * Answers ok, no with the part that refused and the window that has to leave for it to fit, load with the parts whose
 * sums are missing, or stale; after ok and no for each part what is used and held.
 */
const RESERVE_PART = `
local function reserve(KEYS, ARGV)
  local state = redis.call('HMGET', KEYS[1], 'id', 'open', 'epoch')
  if state[1] ~= ARGV[1] or state[2] ~= '1' then return {'stale'} end
  local prefix, epoch = ARGV[6], state[3] or '0'
  local old, replaced = {}, nil
  if ARGV[4] == '1' then
    replaced = redis.call('HGET', KEYS[2], ARGV[2])
    if replaced then for name, amount in parts(replaced) do old[prefix .. name] = tonumber(amount) end end
  end
  local function leaves(from, n, over)
    local last = 0
    for k = 1, n do
      local sums = redis.call('HMGET', KEYS[from + k], 'before', 'settled')
      local used = (tonumber(sums[1]) or 0) + (tonumber(sums[2]) or 0)
      if used > 0 then
        over, last = over - used, k
        if over <= 0 then break end
      end
    end
    return tostring(last)
  end
  local out, refused, filed, missing = {'ok', '', ''}, nil, {}, {'load'}
  local count, from = (#ARGV - 6) / 8, 2
  for i = 1, count do
    local at = 6 + (i - 1) * 8
    local n, must = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 4])
    local used, held = 0, 0
    for k = 1, n do
      local window = KEYS[from + k]
      local sums = redis.call('HMGET', window, 'before', 'settled', 'held', 'epoch')
      if k <= must and (not sums[1] or sums[4] ~= epoch) and missing[#missing] ~= tostring(i - 1) then
        missing[#missing + 1] = tostring(i - 1)
      end
      used = used + (tonumber(sums[1]) or 0) + (tonumber(sums[2]) or 0)
      held = held + (tonumber(sums[3]) or 0) - (old[window] or 0)
    end
    local need, limit, mode = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3]
    local fits = mode == 's' or (mode == 'u' and used + held < limit)
      or (mode == 'h' and limit > 0 and used + held + need <= limit)
    if not fits and not refused then
      refused = i
      local over = used + need - limit
      if mode == 'u' then over = over + 1 end
      out[1], out[2], out[3] = 'no', tostring(i - 1), leaves(from, n, over)
    end
    out[#out + 1] = string.format('%.0f', used)
    out[#out + 1] = string.format('%.0f', held)
    filed[i] = KEYS[from + tonumber(ARGV[at + 7])]
    from = from + n
  end
  if #missing > 1 then return missing end
  if refused then return out end
  return out, function()
    if replaced then
      for name, amount in parts(replaced) do less(prefix .. name, 'held', amount) end
    end
    for i = 1, count do
      local at = 6 + (i - 1) * 8
      redis.call('HINCRBY', filed[i], 'held', ARGV[at + 1])
      if ARGV[at + 8] == '1' then mark(ARGV[5], string.sub(filed[i], #prefix + 1), ARGV[2]) end
      if ARGV[at + 5] ~= '0' then redis.call('PEXPIREAT', filed[i], ARGV[at + 5]) end
    end
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  end
end
`;

/** Numbers of one count: kind (r requests, t tokens, c what runs), amount, limit, slice, bucket, lifetime, whose. */
const ADMIT_WIDTH = 9;

/**
 * Looks whether a request fits all of its counts. Answers what to say where it does not, else what to do.
 * KEYS: for each count its hash, its leases, the counts of its limit.
 * ARGV: lease, how long it lives, is it forced?, and for each count kind, amount, limit, length of a slice, and of its
 * bucket units, per millisecond and capacity, how long it is kept, whose it is.
 * Answers ok or no, which count refused, how long to wait (-1 in vain), and for each what is settled, held, when that has
 * left, and the slice.
 */
const ADMIT_PART = `
local function admit(KEYS, ARGV)
  local out, refused, waits, counts = {'ok', '', ''}, nil, 0, {}
  local function wait(count, amount, limit, slice, units, per, capacity)
    if limit == 0 then return -1 end
    local over = count.settled + count.held + math.min(amount, limit) - limit
    local bucket = 0
    if per > 0 then
      local room = drained(count, units) + math.min(amount * per, capacity) - capacity
      if room > 0 then bucket = math.ceil(room / units) end
    end
    if over <= 0 then return bucket end
    if slice == 0 then return 1000 end
    if over > count.settled then return math.max(bucket, 1000) end
    return math.max(bucket, free(count, slice, over), 1)
  end
  local n = (#ARGV - 3) / ${ADMIT_WIDTH}
  for i = 1, n do
    local at = 3 + (i - 1) * ${ADMIT_WIDTH}
    local kind, amount, limit = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local slice, units, per = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
    local count = read(KEYS[i * 3 - 2], KEYS[i * 3 - 1], kind, slice)
    counts[i] = count
    if ARGV[3] ~= '1' and not refused then
      waits = wait(count, amount, limit, slice, units, per, tonumber(ARGV[at + 7]))
      if waits ~= 0 then refused = i end
    end
  end
  local function told()
    for i = 1, n do
      local count, slice = counts[i], tonumber(ARGV[7 + (i - 1) * ${ADMIT_WIDTH}])
      out[#out + 1] = text(count.settled)
      out[#out + 1] = text(count.held)
      out[#out + 1] = text(count.settled > 0 and slice > 0 and free(count, slice, count.settled) or 0)
      out[#out + 1] = text(count.newest)
    end
    return out
  end
  if refused then
    out[1], out[2], out[3] = 'no', text(refused - 1), text(waits)
    return told()
  end
  return nil, function()
    for i = 1, n do
      local at = 3 + (i - 1) * ${ADMIT_WIDTH}
      local key, leases, count = KEYS[i * 3 - 2], KEYS[i * 3 - 1], counts[i]
      local amount, per = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 6])
      if ARGV[at + 1] == 'r' then
        local field = text(count.newest)
        count.slices[field] = redis.call('HINCRBY', key, field, ARGV[at + 2])
        count.settled = count.settled + amount
      else
        count.held = count.held + amount
        if ARGV[at + 1] == 't' then redis.call('HINCRBY', key, 'held', ARGV[at + 2]) end
        redis.call('ZADD', leases, text(now + tonumber(ARGV[2])), ARGV[1] .. '=' .. ARGV[at + 2])
        redis.call('PEXPIRE', leases, ARGV[at + 8])
      end
      if per > 0 then pour(key, count, tonumber(ARGV[at + 5]), amount * per) end
      redis.call('PEXPIRE', key, ARGV[at + 8])
      redis.call('ZADD', KEYS[i * 3], text(now), ARGV[at + 9])
      redis.call('PEXPIRE', KEYS[i * 3], ARGV[at + 8])
    end
    return told()
  end
end
`;

/** Decides about one request in all of its budgets: reserves in every one, or in none. See `RESERVE_PART`. */
export const RESERVE = script(`${PARTS}${OLDER}${RESERVE_PART}
local out, take = reserve(KEYS, ARGV)
if take then take() end
return out
`);

/** Counts a request in all of its limits, or in none. See `ADMIT_PART`. */
export const ADMIT_RATE = script(`${COUNT}${ADMIT_PART}
local out, take = admit(KEYS, ARGV)
if take then return take() end
return out
`);

/**
 * Decides about one request in all of its limits and all of its budgets at once: everything is counted and reserved, or
 * nothing is. KEYS: those of `ADMIT_PART`, then those of `RESERVE_PART`. ARGV: how many keys and how many arguments are of
 * the first, and both lists. Answers what the limits say and what the budgets say; `waits` of the budgets where a limit
 * refused and they were not asked, nothing of the limits where a budget did not take the request.
 */
export const ADMIT_ALL = script(`${PARTS}${OLDER}${COUNT}${RESERVE_PART}${ADMIT_PART}
local function some(list, from, to)
  local out = {}
  for i = from, to do out[#out + 1] = list[i] end
  return out
end
local keys, args = tonumber(ARGV[1]), tonumber(ARGV[2])
local limits, count = admit(some(KEYS, 1, keys), some(ARGV, 3, 2 + args))
if not count then return {limits, {'waits'}} end
local budgets, hold = reserve(some(KEYS, keys + 1, #KEYS), some(ARGV, 3 + args, #ARGV))
if not hold then return {{}, budgets} end
hold()
return {count(), budgets}
`);
