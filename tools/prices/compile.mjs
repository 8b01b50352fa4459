/**
 * Compiles the price data of `@pydantic/genai-prices` (MIT) into the snapshot that the price book is built from:
 *
 *   node tools/prices/compile.mjs           writes packages/server/src/accounting/generated/price-snapshot.ts
 *   node tools/prices/compile.mjs --check   exits 1 when that file is not what the installed package compiles to
 *
 * What is kept: token prices of chat and embedding models, per-search and per-request prices, dates, daily hours
 * and context tiers. What is changed is named in docs/prices.md. The output is a TypeScript file, not JSON,
 * because a composite project refuses JSON files that its `include` does not list (TS6307).
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProvider } from '@pydantic/genai-prices';

const ROOT = new URL('../../', import.meta.url);
export const SNAPSHOT_FILE = fileURLToPath(
  new URL('packages/server/src/accounting/generated/price-snapshot.ts', ROOT),
);
/** The day this version of the package was taken in; change it together with the version in package.json. */
const CAPTURED_ON = '2026-11-22';

/** Price key of the source → our unit, and the power of ten from US dollars per that many to pico-USD per one. */
const UNITS = new Map(
  /** @type {[string, [string, number]][]} */ ([
    ['input_mtok', ['input', 6]],
    ['cache_read_mtok', ['cacheRead', 6]],
    ['cache_write_mtok', ['cacheWrite', 6]],
    ['cache_write_1h_mtok', ['cacheWrite1h', 6]],
    ['input_audio_mtok', ['inputAudio', 6]],
    ['cache_audio_read_mtok', ['cacheReadAudio', 6]],
    ['input_image_mtok', ['inputImage', 6]],
    ['output_mtok', ['output', 6]],
    ['output_reasoning_mtok', ['outputReasoning', 6]],
    ['output_audio_mtok', ['outputAudio', 6]],
    ['output_image_mtok', ['outputImage', 6]],
    ['web_searches_kcount', ['webSearch', 9]],
    ['requests_kcount', ['request', 9]],
  ]),
);
/** Priced by the source, counted in no answer we read, and optional for the caller: left out of the card. */
const IGNORED = new Set(['storage_searches_kcount']);

/**
 * What the package declares, as far as it is read here.
 * @typedef {{ rounded: string[], left: string[] }} Report
 * @typedef {Record<string, number>} Rates
 * @typedef {{ over: number, rates: Rates }} Tier
 * @typedef {{ rates: Rates, tiers?: Tier[], from?: string, daily?: [string, string] }} Period
 * @typedef {{ or?: Rule[], and?: Rule[], equals?: string, starts_with?: string, ends_with?: string, contains?: string, regex?: string }} Rule
 * @typedef {{ base: number, tiers: { start: number, price: number }[] }} TieredPrice
 * @typedef {Record<string, number | TieredPrice>} Prices
 * @typedef {{ start_date?: string, start_time?: string, end_time?: string }} Constraint
 * @typedef {{ id: string, match: Rule, prices: any }} Model
 * @typedef {{ id: string, models: Model[] }} Provider
 */

/**
 * Decimal digits of a price. Exact: the source has at most 15 significant digits, which JavaScript prints back as written.
 * @param {number} price
 */
function decimalOf(price) {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(price));
  if (!match) throw new Error(`not a price: ${price}`);
  const [, whole, fraction = '', exponent = '0'] = match;
  return { digits: BigInt(whole + fraction), scale: fraction.length - Number(exponent) };
}

/**
 * US dollars per 10^shift → integer pico-USD; `rounded` is told when the source is finer than that.
 * @param {number} price
 * @param {number} shift
 * @param {() => void} [rounded]
 */
export function picoUsd(price, shift, rounded = () => {}) {
  const { digits, scale } = decimalOf(price);
  const down = scale - shift;
  if (down <= 0) return Number(digits * 10n ** BigInt(-down));
  const unit = 10n ** BigInt(down);
  const quotient = digits / unit;
  const twice = (digits % unit) * 2n;
  if (twice !== 0n) rounded();
  const up = twice > unit || (twice === unit && quotient % 2n === 1n);
  return Number(up ? quotient + 1n : quotient);
}

/**
 * Rates and context tiers of one period, or null when some price has no unit that an answer reports.
 * @param {Prices} prices
 * @param {string} where
 * @param {Report} report
 * @returns {Period | null}
 */
function periodOf(prices, where, report) {
  /** @type {Rates} */
  const rates = {};
  /** @type {Map<number, Rates>} */
  const tiers = new Map();
  for (const [key, price] of Object.entries(prices)) {
    if (IGNORED.has(key)) continue;
    const unit = UNITS.get(key);
    if (!unit) return null;
    /** @param {number} value */
    const pico = (value) => picoUsd(value, unit[1], () => report.rounded.push(`${where} ${unit[0]}`));
    rates[unit[0]] = pico(typeof price === 'number' ? price : price.base);
    for (const tier of typeof price === 'number' ? [] : price.tiers) {
      tiers.set(tier.start, { ...tiers.get(tier.start), [unit[0]]: pico(tier.price) });
    }
  }
  if (!('input' in rates) && !('output' in rates)) return null;
  /** @type {Period} */
  const period = { rates };
  if (tiers.size > 0) {
    period.tiers = [...tiers].sort(([a], [b]) => a - b).map(([over, changed]) => ({ over, rates: changed }));
  }
  return period;
}

/**
 * Periods in the source's order (the last that applies wins). The source cannot say "these hours, from this
 * day"; hours that follow a dated entry belong to it, which is what its own comments mean.
 * @param {Model} model
 * @param {string} where
 * @param {Report} report
 * @returns {Period[] | null}
 */
function periodsOf(model, where, report) {
  /** @type {{ constraint?: Constraint, prices: Prices }[]} */
  const entries = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  /** @type {Period[]} */
  const periods = [];
  /** @type {string | undefined} */
  let from;
  for (const { constraint, prices } of entries) {
    const period = periodOf(prices, where, report);
    if (!period) return null;
    if (constraint?.start_date) from = constraint.start_date;
    if (from) period.from = from;
    if (constraint?.start_time && constraint.end_time)
      period.daily = [constraint.start_time, constraint.end_time];
    periods.push(period);
  }
  return periods;
}

/**
 * @param {Rule} rule
 * @param {string} name
 * @returns {boolean}
 */
function matches(rule, name) {
  if (rule.or) return rule.or.some((part) => matches(part, name));
  if (rule.and) return rule.and.every((part) => matches(part, name));
  if (rule.equals !== undefined) return name === rule.equals.toLowerCase();
  if (rule.starts_with !== undefined) return name.startsWith(rule.starts_with.toLowerCase());
  if (rule.ends_with !== undefined) return name.endsWith(rule.ends_with.toLowerCase());
  if (rule.contains !== undefined) return name.includes(rule.contains.toLowerCase());
  return rule.regex !== undefined && new RegExp(rule.regex).test(name);
}

/**
 * @param {Rule} rule
 * @returns {string[]}
 */
function namesIn(rule) {
  const parts = rule.or ?? rule.and;
  if (parts) return parts.flatMap(namesIn);
  return [rule.equals ?? rule.starts_with].filter((name) => name !== undefined);
}

/**
 * Names that a rule spells out. `contains`, `ends_with` and `regex` name no model; `starts_with` stands for its
 * own text (dated versions of it are matched later), never for everything that begins like it.
 * @param {Model} model
 * @param {Model[]} models
 */
function listedNames(model, models) {
  const names = new Set([model.id, ...namesIn(model.match)].map((name) => name.toLowerCase()));
  return [...names].filter((name) => {
    if (/[-@:]$/.test(name)) return false;
    return models.find((candidate) => matches(candidate.match, name)) === model;
  });
}

/**
 * `{}` means "costs nothing" only where the name says so; elsewhere nobody knows.
 * @param {Model} model
 * @returns {Period[] | null}
 */
function freePeriods(model) {
  return Object.keys(model.prices).length === 0 && model.id.endsWith(':free')
    ? [{ rates: { input: 0, output: 0 } }]
    : null;
}

/**
 * @param {Provider} provider
 * @param {Report} report
 */
function compileProvider(provider, report) {
  /** @type {string[]} */
  const lines = [];
  for (const model of provider.models) {
    const where = `${provider.id}/${model.id}`;
    const periods = freePeriods(model) ?? periodsOf(model, where, report);
    const names = listedNames(model, provider.models);
    if (!periods || names.length === 0) {
      report.left.push(where);
      continue;
    }
    const id = names.includes(model.id.toLowerCase()) ? model.id.toLowerCase() : names[0];
    lines.push(JSON.stringify({ id, also: names.filter((name) => name !== id), periods }));
  }
  return lines;
}

function sourceText() {
  return readFileSync(fileURLToPath(import.meta.resolve('@pydantic/genai-prices')), 'utf8');
}

/** The generated file's text. */
export function compileSnapshot() {
  const source = sourceText();
  const ids = [...source.matchAll(/^ {4}id: "([^"]+)",$/gm)].map((match) => match[1]);
  const providers = ids.flatMap((id) => /** @type {Provider[]} */ (findProvider({ providerId: id }) ?? []));
  if (ids.length < 30 || ids.some((id, index) => providers[index]?.id !== id)) {
    throw new Error('the layout of @pydantic/genai-prices has changed: its providers were not all found');
  }
  /** @type {Report} */
  const report = { rounded: [], left: [] };
  const body = providers
    .map((provider) => ({ id: provider.id, lines: compileProvider(provider, report) }))
    .filter(({ lines }) => lines.length > 0)
    .map(({ id, lines }) => `${JSON.stringify(id)}:[\n${lines.join(',\n')}\n]`)
    .join(',\n');
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', ROOT), 'utf8'));
  const locked = lock.packages['node_modules/@pydantic/genai-prices'];
  const header = {
    format: 1,
    source: {
      package: '@pydantic/genai-prices',
      version: locked.version,
      license: 'MIT',
      integrity: locked.integrity,
      dataSha256: createHash('sha256').update(source).digest('hex'),
    },
    capturedOn: CAPTURED_ON,
    rounded: [...new Set(report.rounded)],
    left: report.left,
  };
  const text = `${JSON.stringify(header).slice(0, -1)},\n"providers":{\n${body}\n}}`;
  if (/[`\\]|\$\{/.test(text)) throw new Error('the data needs escaping');
  const sha256 = createHash('sha256').update(text).digest('hex');
  return [
    '// Generated by tools/prices/compile.mjs; run it again instead of editing this file.',
    `export const SNAPSHOT_SHA256 = '${sha256}';`,
    `export const SNAPSHOT_TEXT = \`${text}\`;`,
    '',
  ].join('\n');
}

function main() {
  const compiled = compileSnapshot();
  if (!process.argv.includes('--check')) {
    writeFileSync(SNAPSHOT_FILE, compiled);
    return;
  }
  if (readFileSync(SNAPSHOT_FILE, 'utf8') !== compiled) {
    process.stderr.write(
      'The price snapshot is not what the installed package compiles to. Run tools/prices/compile.mjs.\n',
    );
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
