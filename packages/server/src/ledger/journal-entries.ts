import type { TokenCounts, UnitCounts } from '@tallygate/contract/usage';
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
  const { units } = event;
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
    tokensRow(event.tokens),
    [units.webSearchRequests, units.webFetchRequests, units.codeExecutionRequests],
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
    event.poolId,
    event.ruleId,
    event.ruleChanges,
    event.cacheLostTokens,
    event.cacheLossNanoUsd === null ? null : event.cacheLossNanoUsd.toString(),
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
    attempt.model,
    attempt.chosenBy,
  ];
}

/** Our own writing, under a checksum: types are taken on trust, as `rowOf` laid them out. */
function eventOf(row: Row): UsageEvent {
  const cost = row[28] as string | null;
  const cacheLoss = (row[45] ?? null) as string | null;
  return {
    id: row[0] as UsageEvent['id'],
    parentId: row[1] as UsageEvent['parentId'],
    workspaceId: row[2] as UsageEvent['workspaceId'],
    projectId: row[3] as UsageEvent['projectId'],
    apiKeyId: row[4] as UsageEvent['apiKeyId'],
    userId: row[5] as UsageEvent['userId'],
    source: row[6] as UsageEvent['source'],
    provider: row[7] as UsageEvent['provider'],
    accountId: row[8] as UsageEvent['accountId'],
    apiFlavor: row[9] as UsageEvent['apiFlavor'],
    modelRequested: row[10] as UsageEvent['modelRequested'],
    modelServed: row[11] as UsageEvent['modelServed'],
    startedAtMs: row[12] as UsageEvent['startedAtMs'],
    firstByteAtMs: row[13] as UsageEvent['firstByteAtMs'],
    endedAtMs: row[14] as UsageEvent['endedAtMs'],
    latencyMs: row[15] as UsageEvent['latencyMs'],
    ttftMs: row[16] as UsageEvent['ttftMs'],
    stream: row[17] as UsageEvent['stream'],
    status: row[18] as UsageEvent['status'],
    httpStatus: row[19] as UsageEvent['httpStatus'],
    errorCode: row[20] as UsageEvent['errorCode'],
    tokens: tokensOf(row[21] as (number | null)[]),
    units: unitsOf(row[22] as (number | null)[]),
    weightedTokens: row[23] as UsageEvent['weightedTokens'],
    serviceTier: row[24] as UsageEvent['serviceTier'],
    speed: row[25] as UsageEvent['speed'],
    geo: row[26] as UsageEvent['geo'],
    batch: row[27] as UsageEvent['batch'],
    costNanoUsd: cost === null ? null : BigInt(cost),
    priceCard: row[29] as UsageEvent['priceCard'],
    priceStatus: row[30] as UsageEvent['priceStatus'],
    settleStatus: row[31] as UsageEvent['settleStatus'],
    providerCostUsd: row[32] as UsageEvent['providerCostUsd'],
    upstreamRequestId: row[33] as UsageEvent['upstreamRequestId'],
    sessionId: row[34] as UsageEvent['sessionId'],
    conversationId: row[35] as UsageEvent['conversationId'],
    tags: row[36] as UsageEvent['tags'],
    requestBytes: row[37] as UsageEvent['requestBytes'],
    responseBytes: row[38] as UsageEvent['responseBytes'],
    rawUsage: row[39] as UsageEvent['rawUsage'],
    attempts: (row[40] as Row[]).map(attemptOf),
    poolId: (row[41] ?? null) as UsageEvent['poolId'],
    ruleId: (row[42] ?? null) as UsageEvent['ruleId'],
    ruleChanges: (row[43] ?? null) as UsageEvent['ruleChanges'],
    cacheLostTokens: (row[44] ?? null) as UsageEvent['cacheLostTokens'],
    cacheLossNanoUsd: cacheLoss === null ? null : BigInt(cacheLoss),
  };
}

/** Spelt out rather than looped: twice as fast, and an entry's layout cannot move with the order of the names. */
function tokensRow(tokens: TokenCounts): (number | null)[] {
  return [
    tokens.inputUncached,
    tokens.cacheRead,
    tokens.cacheWrite5m,
    tokens.cacheWrite1h,
    tokens.cacheWriteOther,
    tokens.inputAudio,
    tokens.cacheReadAudio,
    tokens.inputImage,
    tokens.inputTool,
    tokens.outputVisible,
    tokens.outputReasoning,
    tokens.outputAudio,
    tokens.outputImage,
  ];
}

function tokensOf(counts: readonly (number | null)[]): TokenCounts {
  return {
    inputUncached: counts[0] ?? null,
    cacheRead: counts[1] ?? null,
    cacheWrite5m: counts[2] ?? null,
    cacheWrite1h: counts[3] ?? null,
    cacheWriteOther: counts[4] ?? null,
    inputAudio: counts[5] ?? null,
    cacheReadAudio: counts[6] ?? null,
    inputImage: counts[7] ?? null,
    inputTool: counts[8] ?? null,
    outputVisible: counts[9] ?? null,
    outputReasoning: counts[10] ?? null,
    outputAudio: counts[11] ?? null,
    outputImage: counts[12] ?? null,
  };
}

function unitsOf(counts: readonly (number | null)[]): UnitCounts {
  return {
    webSearchRequests: counts[0] ?? null,
    webFetchRequests: counts[1] ?? null,
    codeExecutionRequests: counts[2] ?? null,
  };
}

function attemptOf(row: Row): Attempt {
  return {
    index: row[0] as Attempt['index'],
    accountId: row[1] as Attempt['accountId'],
    provider: row[2] as Attempt['provider'],
    startedAtMs: row[3] as Attempt['startedAtMs'],
    firstByteAtMs: row[4] as Attempt['firstByteAtMs'],
    endedAtMs: row[5] as Attempt['endedAtMs'],
    httpStatus: row[6] as Attempt['httpStatus'],
    outcome: row[7] as Attempt['outcome'],
    errorCode: row[8] as Attempt['errorCode'],
    upstreamRequestId: row[9] as Attempt['upstreamRequestId'],
    model: (row[10] ?? null) as Attempt['model'],
    chosenBy: (row[11] ?? null) as Attempt['chosenBy'],
  };
}
