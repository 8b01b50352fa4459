/**
 * Log-spaced histogram of whole milliseconds. Bin edges are integers computed without floating point, so every
 * process and engine agrees on them for ever: they are stored, and changing them would corrupt sums. A bin that
 * starts at `lo` is `max(1, floor(lo / 20))` wide, hence at most 5 % wide; the last one, from 24 hours, is open.
 */
const LAST_EDGE_MS = 86_400_000;

function edges(): Uint32Array {
  const list = [0];
  for (let lo = 1; lo < LAST_EDGE_MS; lo += Math.max(1, Math.floor(lo / 20))) list.push(lo);
  list.push(LAST_EDGE_MS);
  return Uint32Array.from(list);
}

const EDGES = edges();
export const BIN_COUNT = EDGES.length;

/** Bin → how many measurements fell into it. Adding two histograms bin by bin gives the histogram of both. */
export type LatencyBins = Map<number, number>;

/** The bin a duration falls into; fractions are rounded down, negatives count as 0. */
export function binOf(ms: number): number {
  let low = 0;
  let high = BIN_COUNT - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((EDGES[middle] ?? 0) <= ms) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Smallest and largest whole millisecond of a bin. */
export function binRangeMs(bin: number): { fromMs: number; toMs: number } {
  const fromMs = EDGES[bin] ?? LAST_EDGE_MS;
  return { fromMs, toMs: (EDGES[bin + 1] ?? LAST_EDGE_MS + 1) - 1 };
}

/** Adds `count` measurements of one bin. */
export function addToBin(bins: LatencyBins, bin: number, count: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + count);
}

/** How many measurements the histogram holds. */
export function countOf(bins: LatencyBins): number {
  let total = 0;
  for (const count of bins.values()) total += count;
  return total;
}

/**
 * The `q` quantile (0…1, nearest rank) in milliseconds: the middle of the bin the rank falls into, so within
 * 2.5 % of the exact value (exact below 40 ms). Null for an empty histogram.
 */
export function quantile(bins: LatencyBins, q: number): number | null {
  const total = countOf(bins);
  if (total === 0) return null;
  const rank = Math.min(total, Math.max(1, Math.ceil(q * total)));
  let seen = 0;
  for (const [bin, count] of [...bins].sort((a, b) => a[0] - b[0])) {
    seen += count;
    if (seen >= rank) {
      const { fromMs, toMs } = binRangeMs(bin);
      return Math.floor((fromMs + toMs) / 2);
    }
  }
  return null;
}

/** What all measurements come to together, in milliseconds: within 2.5 %, as each counts as the middle of its bin. */
export function sumMs(bins: LatencyBins): number {
  let total = 0;
  for (const [bin, count] of bins) {
    const { fromMs, toMs } = binRangeMs(bin);
    total += ((fromMs + toMs) / 2) * count;
  }
  return total;
}

/**
 * Text form: `bin:count` pairs with spaces between, `bin` alone for a count of one; empty for an empty histogram.
 * The order means nothing (sorting would cost the ledger more than the rest of it); `sortedBins` compares.
 */
export function encodeBins(bins: LatencyBins): string {
  let text = '';
  for (const [bin, count] of bins) {
    if (text !== '') text += ' ';
    text += count === 1 ? `${bin}` : `${bin}:${count}`;
  }
  return text;
}

/** The one text that all texts of equal histograms have in common. */
export function sortedBins(text: string): string {
  const bins: LatencyBins = new Map();
  addEncodedBins(bins, text);
  return encodeBins(new Map([...bins].sort((a, b) => a[0] - b[0])));
}

const SPACE = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;

/**
 * Adds the histogram in `text` to `into`. A bin may occur any number of times, so texts joined by spaces are the
 * text of their sum. This runs for every stored cell that a query reads.
 */
export function addEncodedBins(into: LatencyBins, text: string): void {
  if (text !== '') addCounts(into, countPairs(text));
}

function addCounts(into: LatencyBins, counts: Float64Array): void {
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    const count = counts[bin] ?? 0;
    if (count > 0) addToBin(into, bin, count);
  }
}

/** No digit was read. */
const NONE = -1;

/** Counts pairs given character by character; nothing is allocated for a pair. */
class PairCounter {
  readonly counts = new Float64Array(BIN_COUNT);
  /** Of the pair that is being read, once its colon was seen. */
  #bin = NONE;
  #value = NONE;

  digit(digit: number): void {
    this.#value = this.#value === NONE ? digit : this.#value * 10 + digit;
  }

  colon(): void {
    this.#bin = this.#value;
    this.#value = NONE;
  }

  end(): void {
    if (this.#value === NONE) return;
    const alone = this.#bin === NONE;
    const bin = alone ? this.#value : this.#bin;
    this.counts[bin] = (this.counts[bin] ?? 0) + (alone ? 1 : this.#value);
    this.#bin = NONE;
    this.#value = NONE;
  }
}

function countPairs(text: string): Float64Array {
  const pairs = new PairCounter();
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === SPACE) pairs.end();
    else if (code === COLON) pairs.colon();
    else pairs.digit(code - ZERO);
  }
  pairs.end();
  return pairs.counts;
}

/** Adds measurements written as whole milliseconds with spaces between. */
export function addMeasuredMs(into: LatencyBins, text: string): void {
  const counts = new Float64Array(BIN_COUNT);
  for (const measured of text.split(' ')) {
    if (measured === '') continue;
    const bin = binOf(Number(measured));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  addCounts(into, counts);
}

/** Up to this length a text is added pair by pair to the other. */
const SHORT_TEXT = 60;

/**
 * The text of the sum of two histograms in text form. The ledger does this for every cell of a batch, and nearly
 * always adds a few pairs to many: those are put into the text in place, which is ten times as fast as reading it.
 */
export function mergeEncodedBins(a: string, b: string): string {
  const [long, short] = a.length < b.length ? [b, a] : [a, b];
  if (short === '') return long;
  if (short.length > SHORT_TEXT) {
    const bins: LatencyBins = new Map();
    addEncodedBins(bins, `${long} ${short}`);
    return encodeBins(bins);
  }
  let merged = long;
  for (const pair of short.split(' ')) merged = addPairToText(merged, pair);
  return merged;
}

function addPairToText(text: string, pair: string): string {
  const colon = pair.indexOf(':');
  const bin = colon < 0 ? pair : pair.slice(0, colon);
  const count = colon < 0 ? 1 : Number(pair.slice(colon + 1));
  const end = endOfBin(text, bin);
  if (end < 0) return `${text} ${pair}`;
  if (text.charCodeAt(end) !== COLON) return `${text.slice(0, end)}:${1 + count}${text.slice(end)}`;
  const space = text.indexOf(' ', end);
  const next = space < 0 ? text.length : space;
  return `${text.slice(0, end + 1)}${Number(text.slice(end + 1, next)) + count}${text.slice(next)}`;
}

/** Where the number of a bin ends in a text; -1 when the bin is not in it. */
function endOfBin(text: string, bin: string): number {
  for (let at = text.indexOf(bin); at >= 0; at = text.indexOf(bin, at + 1)) {
    const end = at + bin.length;
    const starts = at === 0 || text.charCodeAt(at - 1) === SPACE;
    if (starts && (end === text.length || text.charCodeAt(end) === SPACE || text.charCodeAt(end) === COLON)) {
      return end;
    }
  }
  return -1;
}
