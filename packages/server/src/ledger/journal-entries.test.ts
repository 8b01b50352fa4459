import {
  PRICE_STATUSES,
  REQUEST_STATUSES,
  SETTLE_STATUSES,
  TOKEN_BUCKETS,
  UNIT_COUNTS,
} from '@tallygate/contract/usage';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt, UsageEvent } from '../accounting/usage-event.ts';
import { decodeOpened, decodeSettled, encodeOpened, encodeSettled, openedId } from './journal-entries.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const count = maybe(fc.nat());
const timeMs = maybe(fc.maxSafeNat());
const durationMs = maybe(fc.double({ min: 0, max: 1e9, noNaN: true }).map(Math.abs));
const attempt: fc.Arbitrary<Attempt> = fc.record({
  index: fc.nat(),
  accountId: maybe(text),
  provider: text,
  startedAtMs: fc.maxSafeNat(),
  firstByteAtMs: timeMs,
  endedAtMs: timeMs,
  httpStatus: count,
  outcome: text,
  errorCode: maybe(text),
  upstreamRequestId: maybe(text),
  model: maybe(text),
  chosenBy: maybe(text),
});
const counts = <K extends string>(names: readonly K[]) =>
  fc
    .array(count, { minLength: names.length, maxLength: names.length })
    .map((list) => Object.fromEntries(names.map((name, i) => [name, list[i] ?? null])))
    .map((record) => record as Record<K, number | null>);
const event: fc.Arbitrary<UsageEvent> = fc.record({
  id: text,
  parentId: maybe(text),
  workspaceId: text,
  projectId: text,
  apiKeyId: maybe(text),
  userId: maybe(text),
  source: text,
  provider: text,
  accountId: maybe(text),
  apiFlavor: text,
  modelRequested: maybe(text),
  modelServed: maybe(text),
  startedAtMs: fc.maxSafeNat(),
  firstByteAtMs: timeMs,
  endedAtMs: timeMs,
  latencyMs: durationMs,
  ttftMs: durationMs,
  stream: fc.boolean(),
  status: fc.constantFrom(...REQUEST_STATUSES),
  httpStatus: count,
  errorCode: maybe(text),
  tokens: counts(TOKEN_BUCKETS),
  units: counts(UNIT_COUNTS),
  weightedTokens: count,
  serviceTier: maybe(text),
  speed: maybe(text),
  geo: maybe(text),
  batch: fc.boolean(),
  costNanoUsd: maybe(fc.bigInt()),
  priceCard: maybe(text),
  priceStatus: fc.constantFrom(...PRICE_STATUSES),
  settleStatus: fc.constantFrom(...SETTLE_STATUSES),
  providerCostUsd: maybe(text),
  upstreamRequestId: maybe(text),
  sessionId: maybe(text),
  conversationId: maybe(text),
  tags: fc.array(text, { maxLength: 4 }),
  poolId: maybe(text),
  ruleId: maybe(text),
  ruleChanges: maybe(text),
  cacheLostTokens: count,
  cacheLossNanoUsd: maybe(fc.bigInt()),
  requestBytes: count,
  responseBytes: count,
  rawUsage: maybe(text),
  attempts: fc.array(attempt, { maxLength: 3 }),
});

describe('journal entries', () => {
  it('every field of every row survives the way through the journal', () => {
    fc.assert(
      fc.property(text, fc.array(event, { maxLength: 3 }), (id, events) => {
        expect(decodeSettled(Buffer.from(encodeSettled({ openedId: id, events })))).toEqual({
          openedId: id,
          events,
        });
      }),
    );
    fc.assert(
      fc.property(event, (opened) => {
        const payload = Buffer.from(encodeOpened({ event: opened }));
        expect(decodeOpened(payload)).toEqual({ event: opened });
        expect(openedId(payload)).toBe(opened.id);
      }),
    );
  });

  it('0 and null stay apart, and money larger than a double holds stays exact', () => {
    const row = sampleSettled('a', { costNanoUsd: 2n ** 64n + 1n });
    const back = decodeSettled(Buffer.from(encodeSettled({ openedId: 'a', events: [row] }))).events[0];
    expect(back?.tokens.cacheRead).toBe(0);
    expect(back?.tokens.cacheWrite1h).toBeNull();
    expect(back?.costNanoUsd).toBe(18446744073709551617n);
  });

  const OLD_ROW =
    '"r1",null,"workspace-1","project-1","key-1",null,"gateway","anthropic","account-1",' +
    '"anthropic.messages","claude-sonnet-4-5","claude-sonnet-4-5-20250929",1800000000000,1800000000100,' +
    '1800000000900,900.25,101.5,true,"ok",200,null,' +
    '[12,0,null,null,null,null,null,null,null,345,null,null,null],[null,null,null],1737,"standard",null,' +
    'null,false,"5211000","anthropic/claude-sonnet-4-5@2026-11-22","priced","final",null,' +
    '"req_011CSHoEeqs5C35K2UUqR7Fy",null,null,["t"],120,4321,' +
    '"{\\"input_tokens\\":12,\\"cache_read_input_tokens\\":0,\\"output_tokens\\":345}",';
  const OLD_ATTEMPT =
    '0,"account-1","anthropic",1800000000010,1800000000100,1800000000900,200,"ok",null,' +
    '"req_011CSHoEeqs5C35K2UUqR7Fy"';

  it('is laid out as earlier versions wrote it: a journal outlives an upgrade', () => {
    const row = sampleSettled('r1', { tags: ['t'], poolId: 'p', ruleId: 'r', cacheLossNanoUsd: 7n });
    expect(encodeSettled({ openedId: 'r1', events: [row] })).toBe(
      `[1,"r1",[[${OLD_ROW}[[${OLD_ATTEMPT},null,"session"]],"p","r",null,null,"7"]]]`,
    );
    const old = decodeSettled(Buffer.from(`[1,"r1",[[${OLD_ROW}[[${OLD_ATTEMPT}]]]]]`)).events[0];
    const attempts = row.attempts.map((one) => ({ ...one, chosenBy: null }));
    expect(old).toEqual({ ...row, poolId: null, ruleId: null, cacheLossNanoUsd: null, attempts });
  });

  it.each(['', '{}', '[2,"x",[]]', '[1,5,[]]', '[1,"x"]', 'null'])(
    'refuses what it does not know: %s',
    (json) => {
      expect(() => decodeSettled(Buffer.from(json))).toThrow();
      expect(() => decodeOpened(Buffer.from(json))).toThrow();
    },
  );

  it('refuses an id it cannot read, even though the rest is not looked at', () => {
    expect(() => openedId(Buffer.from('[2,"x",[[]]]'))).toThrow();
    expect(() => openedId(Buffer.from('{"event":{"id":"x"}}'))).toThrow();
    expect(openedId(Buffer.from(encodeOpened({ event: sampleEvent('quo"te') })))).toBe('quo"te');
  });
});
