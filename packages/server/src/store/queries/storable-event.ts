import type { TokenCounts, UnitCounts } from '@tallygate/contract/usage';
import type { Attempt, UsageEvent } from '../../accounting/usage-event.ts';

/** Limits of the ledger's text columns; longer values are cut, so that no row can block a batch. */
const TEXT_LIMITS = {
  id: 64,
  model: 200,
  provider: 60,
  name: 200,
  tag: 200,
  rawUsage: 262_144,
  ruleChanges: 8_192,
  tags: 50,
} as const;

const MAX_ATTEMPTS = 100;

const EVENT_TEXTS = {
  id: TEXT_LIMITS.id,
  parentId: TEXT_LIMITS.id,
  workspaceId: TEXT_LIMITS.id,
  projectId: TEXT_LIMITS.id,
  apiKeyId: TEXT_LIMITS.id,
  userId: TEXT_LIMITS.name,
  source: 40,
  provider: TEXT_LIMITS.provider,
  accountId: TEXT_LIMITS.id,
  apiFlavor: 60,
  modelRequested: TEXT_LIMITS.model,
  modelServed: TEXT_LIMITS.model,
  errorCode: TEXT_LIMITS.name,
  serviceTier: 60,
  speed: 60,
  geo: 60,
  priceCard: 300,
  providerCostUsd: 60,
  upstreamRequestId: TEXT_LIMITS.name,
  sessionId: TEXT_LIMITS.name,
  conversationId: TEXT_LIMITS.name,
  poolId: TEXT_LIMITS.id,
  ruleId: TEXT_LIMITS.id,
  ruleChanges: TEXT_LIMITS.ruleChanges,
} as const satisfies Partial<Record<keyof UsageEvent, number>>;

const ATTEMPT_TEXTS = {
  accountId: TEXT_LIMITS.id,
  provider: TEXT_LIMITS.provider,
  outcome: 40,
  errorCode: TEXT_LIMITS.name,
  upstreamRequestId: TEXT_LIMITS.name,
  model: TEXT_LIMITS.model,
  chosenBy: 40,
} as const satisfies Partial<Record<keyof Attempt, number>>;

type Limits<T> = Readonly<Partial<Record<keyof T, number>>>;
const entriesOf = <T>(limits: Limits<T>) => Object.entries(limits) as [keyof T & string, number][];
const EVENT_TEXT_ENTRIES = entriesOf<UsageEvent>(EVENT_TEXTS);
const ATTEMPT_TEXT_ENTRIES = entriesOf<Attempt>(ATTEMPT_TEXTS);
const EVENT_NUMBERS = [
  'firstByteAtMs',
  'endedAtMs',
  'latencyMs',
  'ttftMs',
  'httpStatus',
  'weightedTokens',
  'requestBytes',
  'responseBytes',
  'cacheLostTokens',
] as const satisfies (keyof UsageEvent)[];
const ATTEMPT_NUMBERS = ['firstByteAtMs', 'endedAtMs', 'httpStatus'] as const satisfies (keyof Attempt)[];

// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to find them
const CONTROL = /[\u0000-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to replace them
const CONTROLS = /[\u0000-\u001f\u007f]/g;
const NUL = '\u0000';
const REPLACEMENT = '\ufffd';

/**
 * True for text that every engine takes: within the limit, well-formed (PostgreSQL refuses NUL, and UTF-8 has no lone
 * surrogates), without control characters (they separate dimensions in series keys).
 */
function isClean(value: string, limit: number): boolean {
  return value.length <= limit && !CONTROL.test(value) && value.isWellFormed();
}

function clean(value: string, limit: number): string {
  if (isClean(value, limit)) return value;
  return value.slice(0, limit).toWellFormed().replace(CONTROLS, REPLACEMENT);
}

/** Raw JSON keeps its line breaks; only what an engine would refuse is replaced. */
function isCleanRaw(value: string): boolean {
  return value.length <= TEXT_LIMITS.rawUsage && !value.includes(NUL) && value.isWellFormed();
}

function cleanRaw(value: string): string {
  return value.slice(0, TEXT_LIMITS.rawUsage).toWellFormed().replaceAll(NUL, REPLACEMENT);
}

const isWhole = (value: number | null): boolean => value === null || Number.isSafeInteger(value);

function whole(value: number | null): number | null {
  if (value === null || Number.isSafeInteger(value)) return value;
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : null;
}

function areWhole(counts: Readonly<Record<string, number | null>>): boolean {
  for (const name in counts) if (!isWhole(counts[name] ?? null)) return false;
  return true;
}

function wholeAll<T extends Record<string, number | null>>(counts: T): T {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, whole(count)])) as T;
}

function hasCleanTexts<T>(row: T, texts: readonly [keyof T & string, number][]): boolean {
  for (const [name, limit] of texts) {
    const value = row[name] as string | null;
    if (value !== null && !isClean(value, limit)) return false;
  }
  return true;
}

function hasWholeNumbers<T>(row: T, names: readonly (keyof T)[]): boolean {
  for (const name of names) if (!isWhole(row[name] as number | null)) return false;
  return true;
}

/** The same row with its texts and numbers as every engine takes them. */
function cleaned<T>(row: T, texts: readonly [keyof T & string, number][], numbers: readonly (keyof T)[]): T {
  const changes: Partial<Record<keyof T, unknown>> = {};
  for (const [name, limit] of texts) {
    const value = row[name] as string | null;
    changes[name] = value === null ? null : clean(value, limit);
  }
  for (const name of numbers) changes[name] = whole(row[name] as number | null);
  return { ...row, ...changes };
}

function isStorableAttempt(attempt: Attempt): boolean {
  return (
    Number.isSafeInteger(attempt.index) &&
    Number.isSafeInteger(attempt.startedAtMs) &&
    hasWholeNumbers(attempt, ATTEMPT_NUMBERS) &&
    hasCleanTexts(attempt, ATTEMPT_TEXT_ENTRIES)
  );
}

function areStorableAttempts(attempts: readonly Attempt[]): boolean {
  if (attempts.length > MAX_ATTEMPTS) return false;
  let before = Number.NEGATIVE_INFINITY;
  for (const attempt of attempts) {
    if (attempt.index <= before || !isStorableAttempt(attempt)) return false;
    before = attempt.index;
  }
  return true;
}

/** Two attempts cannot share an index; the first one given stands. */
function cleanAttempts(attempts: readonly Attempt[]): Attempt[] {
  const byIndex = new Map<number, Attempt>();
  for (const attempt of attempts.slice(0, MAX_ATTEMPTS)) {
    const one = cleaned(attempt, ATTEMPT_TEXT_ENTRIES, ATTEMPT_NUMBERS);
    one.index = whole(attempt.index) ?? 0;
    one.startedAtMs = whole(attempt.startedAtMs) ?? 0;
    if (!byIndex.has(one.index)) byIndex.set(one.index, one);
  }
  return [...byIndex.values()];
}

function cleanTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => clean(tag, TEXT_LIMITS.tag)))].slice(0, TEXT_LIMITS.tags);
}

function isStorable(event: UsageEvent): boolean {
  return (
    event.tags.length === 0 &&
    Number.isSafeInteger(event.startedAtMs) &&
    event.startedAtMs >= 0 &&
    (event.rawUsage === null || isCleanRaw(event.rawUsage)) &&
    hasWholeNumbers(event, EVENT_NUMBERS) &&
    areWhole(event.tokens) &&
    areWhole(event.units) &&
    hasCleanTexts(event, EVENT_TEXT_ENTRIES) &&
    areStorableAttempts(event.attempts)
  );
}

/**
 * The event as it will be stored: rows and rollups are both made from this, so they cannot disagree, and no
 * value in it can make an engine refuse the batch it is in. Nearly every event is like that already, and is returned
 * itself: a copy of each would be the ledger's largest garbage.
 */
export function storable(event: UsageEvent): UsageEvent {
  if (isStorable(event)) return event;
  const { rawUsage } = event;
  return {
    ...cleaned(event, EVENT_TEXT_ENTRIES, EVENT_NUMBERS),
    startedAtMs: Math.max(0, whole(event.startedAtMs) ?? 0),
    tokens: wholeAll<TokenCounts>(event.tokens),
    units: wholeAll<UnitCounts>(event.units),
    tags: cleanTags(event.tags),
    rawUsage: rawUsage === null ? null : cleanRaw(rawUsage),
    attempts: cleanAttempts(event.attempts),
  };
}
