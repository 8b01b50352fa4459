import {
  TOKEN_BUCKETS,
  type TokenCounts,
  UNIT_COUNTS,
  type UnitCounts,
  unknownTokens,
  unknownUnits,
} from '@tallygate/contract/usage';
import type { Attempt, UsageEvent } from '../accounting/usage-event.ts';

/** What is known before dispatch, and enough to write the row if the process dies. */
export interface OpenedEntry {
  event: UsageEvent;
}

/** The finished request and its sub-calls. `openedId` closes the opened entry of the same request. */
export interface SettledEntry {
  openedId: string;
  events: UsageEvent[];
}

/**
 * Entries are JSON arrays by position, `[version, id, [row, …]]`: half the bytes and half the time of objects
 * with their 45 names, twice for every request. New fields go to the end of a row; an entry that lacks them was
 * written by an older version. Any other change of a row is a new version.
 */
const VERSION = 1;
const ID_AT = `[${VERSION},"`.length;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

type Row = unknown[];

export function encodeOpened(entry: OpenedEntry): string {
  return JSON.stringify([VERSION, entry.event.id, [rowOf(entry.event)]]);
}

export function encodeSettled(entry: SettledEntry): string {
  return JSON.stringify([VERSION, entry.openedId, entry.events.map(rowOf)]);
}

/** @throws Error when the payload is not an entry of a version this program knows */
export function decodeOpened(payload: Buffer): OpenedEntry {
  const event = decode(payload).events[0];
  if (event === undefined) throw new Error('an opened entry holds a row');
  return { event };
}

/** @throws Error when the payload is not an entry of a version this program knows */
export function decodeSettled(payload: Buffer): SettledEntry {
  return decode(payload);
}

/** The id of an opened entry without decoding the rest: nearly all are settled soon and never looked at again. */
export function openedId(payload: Buffer): string {
  const end = payload.indexOf(QUOTE, ID_AT);
  const id = payload.toString('latin1', ID_AT, end);
  const plain = end > ID_AT && payload[1] === 0x30 + VERSION && payload[ID_AT - 1] === QUOTE;
  return plain && !hasSpecial(payload, end) ? id : decode(payload).openedId;
}

function hasSpecial(payload: Buffer, end: number): boolean {
  for (let at = ID_AT; at < end; at++) {
    const byte = payload[at] ?? 0;
    if (byte === BACKSLASH || byte >= 0x80) return true;
  }
  return false;
}

function decode(payload: Buffer): SettledEntry {
  const parsed: unknown = JSON.parse(payload.toString('utf8'));
  if (!Array.isArray(parsed) || parsed[0] !== VERSION || typeof parsed[1] !== 'string') {
    throw new Error(`a journal entry of a version other than ${VERSION}`);
  }
  return { openedId: parsed[1], events: (parsed[2] as Row[]).map(eventOf) };
}

function rowOf(event: UsageEvent): Row {
  const { tokens, units } = event;
  return [
    event.id,
    event.parentId,
    event.workspaceId,
    event.projectId,
    event.apiKeyId,
    event.userId,
    event.source,
    event.provider,
    event.accountId,
    event.apiFlavor,
    event.modelRequested,
    event.modelServed,
    event.startedAtMs,
    event.firstByteAtMs,
    event.endedAtMs,
    event.latencyMs,
    event.ttftMs,
    event.stream,
    event.status,
    event.httpStatus,
    event.errorCode,
    TOKEN_BUCKETS.map((bucket) => tokens[bucket]),
    UNIT_COUNTS.map((unit) => units[unit]),
    event.weightedTokens,
    event.serviceTier,
    event.speed,
    event.geo,
    event.batch,
    // JSON has no bigint: money travels as a decimal string.
    event.costNanoUsd === null ? null : event.costNanoUsd.toString(),
    event.priceCard,
    event.priceStatus,
    event.settleStatus,
    event.providerCostUsd,
    event.upstreamRequestId,
    event.sessionId,
    event.conversationId,
    event.tags,
    event.requestBytes,
    event.responseBytes,
    event.rawUsage,
    event.attempts.map(attemptRow),
  ];
}

function attemptRow(attempt: Attempt): Row {
  return [
    attempt.index,
    attempt.accountId,
    attempt.provider,
    attempt.startedAtMs,
    attempt.firstByteAtMs,
    attempt.endedAtMs,
    attempt.httpStatus,
    attempt.outcome,
    attempt.errorCode,
    attempt.upstreamRequestId,
  ];
}

/** Our own writing, under a checksum: types are taken on trust, as `rowOf` laid them out. */
function eventOf(row: Row): UsageEvent {
  const at = <K extends keyof UsageEvent>(index: number): UsageEvent[K] => row[index] as UsageEvent[K];
  const cost = row[28] as string | null;
  return {
    id: at<'id'>(0),
    parentId: at<'parentId'>(1),
    workspaceId: at<'workspaceId'>(2),
    projectId: at<'projectId'>(3),
    apiKeyId: at<'apiKeyId'>(4),
    userId: at<'userId'>(5),
    source: at<'source'>(6),
    provider: at<'provider'>(7),
    accountId: at<'accountId'>(8),
    apiFlavor: at<'apiFlavor'>(9),
    modelRequested: at<'modelRequested'>(10),
    modelServed: at<'modelServed'>(11),
    startedAtMs: at<'startedAtMs'>(12),
    firstByteAtMs: at<'firstByteAtMs'>(13),
    endedAtMs: at<'endedAtMs'>(14),
    latencyMs: at<'latencyMs'>(15),
    ttftMs: at<'ttftMs'>(16),
    stream: at<'stream'>(17),
    status: at<'status'>(18),
    httpStatus: at<'httpStatus'>(19),
    errorCode: at<'errorCode'>(20),
    tokens: tokensOf(row[21] as (number | null)[]),
    units: unitsOf(row[22] as (number | null)[]),
    weightedTokens: at<'weightedTokens'>(23),
    serviceTier: at<'serviceTier'>(24),
    speed: at<'speed'>(25),
    geo: at<'geo'>(26),
    batch: at<'batch'>(27),
    costNanoUsd: cost === null ? null : BigInt(cost),
    priceCard: at<'priceCard'>(29),
    priceStatus: at<'priceStatus'>(30),
    settleStatus: at<'settleStatus'>(31),
    providerCostUsd: at<'providerCostUsd'>(32),
    upstreamRequestId: at<'upstreamRequestId'>(33),
    sessionId: at<'sessionId'>(34),
    conversationId: at<'conversationId'>(35),
    tags: at<'tags'>(36),
    requestBytes: at<'requestBytes'>(37),
    responseBytes: at<'responseBytes'>(38),
    rawUsage: at<'rawUsage'>(39),
    attempts: (row[40] as Row[]).map(attemptOf),
  };
}

function tokensOf(counts: readonly (number | null)[]): TokenCounts {
  const tokens = { ...NO_TOKENS };
  for (const [index, bucket] of TOKEN_BUCKETS.entries()) tokens[bucket] = counts[index] ?? null;
  return tokens;
}

function unitsOf(counts: readonly (number | null)[]): UnitCounts {
  const units = { ...NO_UNITS };
  for (const [index, unit] of UNIT_COUNTS.entries()) units[unit] = counts[index] ?? null;
  return units;
}

const NO_TOKENS: Readonly<TokenCounts> = unknownTokens();
const NO_UNITS: Readonly<UnitCounts> = unknownUnits();

function attemptOf(row: Row): Attempt {
  const at = <K extends keyof Attempt>(index: number): Attempt[K] => row[index] as Attempt[K];
  return {
    index: at<'index'>(0),
    accountId: at<'accountId'>(1),
    provider: at<'provider'>(2),
    startedAtMs: at<'startedAtMs'>(3),
    firstByteAtMs: at<'firstByteAtMs'>(4),
    endedAtMs: at<'endedAtMs'>(5),
    httpStatus: at<'httpStatus'>(6),
    outcome: at<'outcome'>(7),
    errorCode: at<'errorCode'>(8),
    upstreamRequestId: at<'upstreamRequestId'>(9),
  };
}
