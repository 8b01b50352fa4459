import { TOKEN_BUCKETS, UNIT_COUNTS } from '@tallygate/contract/usage';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageEvent } from '../accounting/usage-event.ts';
import { decodeOpened, decodeSettled, encodeOpened, encodeSettled, openedId } from './journal-entries.ts';

/** The names of a row by their place in an entry: what an older journal holds is read by these, for ever. */
const LAYOUT = [
  'id',
  'parentId',
  'workspaceId',
  'projectId',
  'apiKeyId',
  'userId',
  'source',
  'provider',
  'accountId',
  'apiFlavor',
  'modelRequested',
  'modelServed',
  'startedAtMs',
  'firstByteAtMs',
  'endedAtMs',
  'latencyMs',
  'ttftMs',
  'stream',
  'status',
  'httpStatus',
  'errorCode',
  'tokens',
  'units',
  'weightedTokens',
  'serviceTier',
  'speed',
  'geo',
  'batch',
  'costNanoUsd',
  'priceCard',
  'priceStatus',
  'settleStatus',
  'providerCostUsd',
  'upstreamRequestId',
  'sessionId',
  'conversationId',
  'tags',
  'requestBytes',
  'responseBytes',
  'rawUsage',
  'attempts',
  'poolId',
  'ruleId',
  'ruleChanges',
  'cacheLostTokens',
  'cacheLossNanoUsd',
] as const satisfies readonly (keyof UsageEvent)[];
const ATTEMPT = [
  'index',
  'accountId',
  'provider',
  'startedAtMs',
  'firstByteAtMs',
  'endedAtMs',
  'httpStatus',
  'outcome',
  'errorCode',
  'upstreamRequestId',
  'model',
  'chosenBy',
] as const;
/** The fields that the first version of the layout had; later ones are missing in its entries. */
const FIRST_FIELDS = 41;
const FIRST_ATTEMPT_FIELDS = 10;

const rowOf = (event: UsageEvent): unknown[] => {
  const [, , rows] = JSON.parse(encodeSettled({ openedId: 'x', events: [event] })) as [
    1,
    string,
    unknown[][],
  ];
  return rows[0] ?? [];
};
const decoded = (row: unknown[]): UsageEvent => {
  const event = decodeSettled(Buffer.from(JSON.stringify([1, 'x', [row]]))).events[0];
  if (event === undefined) throw new Error('no row');
  return event;
};

describe('the layout of a row', () => {
  it('has a place for every field and no other', () => {
    expect(Object.keys(sampleEvent('a')).sort()).toEqual([...LAYOUT].sort());
    expect(rowOf(sampleEvent('a'))).toHaveLength(LAYOUT.length);
    const [attempt] = sampleSettled('a').attempts;
    expect(Object.keys(attempt ?? {}).sort()).toEqual([...ATTEMPT].sort());
  });

  it.each(LAYOUT.map((name, place) => [name, place] as const))(
    '%s is at %i, and only there',
    (name, place) => {
      const base = sampleSettled('base');
      const other: UsageEvent = sampleSettled('base', { [name]: changedValue(name, base) });
      const [before, after] = [rowOf(base), rowOf(other)];
      const differing = before.flatMap((value, i) =>
        JSON.stringify(value) === JSON.stringify(after[i]) ? [] : [i],
      );
      expect(differing).toEqual([place]);
      expect(decoded(after)[name]).toEqual(other[name]);
    },
  );

  it('has tokens and units in this order', () => {
    const tokens = Object.fromEntries(TOKEN_BUCKETS.map((bucket, i) => [bucket, i])) as UsageEvent['tokens'];
    const units = Object.fromEntries(UNIT_COUNTS.map((unit, i) => [unit, 100 + i])) as UsageEvent['units'];
    const row = rowOf(sampleSettled('a', { tokens, units }));
    expect(row[21]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(row[22]).toEqual([100, 101, 102]);
    expect([decoded(row).tokens, decoded(row).units]).toEqual([tokens, units]);
    // The order of the contract's names, which the layout above was written down in.
    expect(TOKEN_BUCKETS).toEqual([
      'inputUncached',
      'cacheRead',
      'cacheWrite5m',
      'cacheWrite1h',
      'cacheWriteOther',
      'inputAudio',
      'cacheReadAudio',
      'inputImage',
      'inputTool',
      'outputVisible',
      'outputReasoning',
      'outputAudio',
      'outputImage',
    ]);
    expect(UNIT_COUNTS).toEqual(['webSearchRequests', 'webFetchRequests', 'codeExecutionRequests']);
  });

  it('carries money as text, since a number would round it', () => {
    const row = rowOf(sampleSettled('a', { costNanoUsd: 9_007_199_254_740_993n, cacheLossNanoUsd: 0n }));
    expect([row[28], row[45]]).toEqual(['9007199254740993', '0']);
    expect([decoded(row).costNanoUsd, decoded(row).cacheLossNanoUsd]).toEqual([9_007_199_254_740_993n, 0n]);
  });
});

describe('entries of older versions', () => {
  it('lack the fields that came later, which are then unknown', () => {
    const full = sampleSettled('a', {
      poolId: 'p',
      ruleId: 'r',
      ruleChanges: '{}',
      cacheLostTokens: 3,
      cacheLossNanoUsd: 4n,
    });
    const row = rowOf(full);
    for (let length = FIRST_FIELDS; length <= LAYOUT.length; length++) {
      const event = decoded(row.slice(0, length));
      for (const [place, name] of LAYOUT.entries()) {
        if (name === 'attempts') continue;
        expect([length, name, event[name]]).toEqual([length, name, place < length ? full[name] : null]);
      }
    }
  });

  it('lack the later fields of an attempt in the same way', () => {
    const full = sampleSettled('a');
    const row = rowOf(full);
    const attempts = row[40] as unknown[][];
    for (let length = FIRST_ATTEMPT_FIELDS; length <= ATTEMPT.length; length++) {
      const event = decoded(
        row.with(
          40,
          attempts.map((one) => one.slice(0, length)),
        ),
      );
      for (const [i, attempt] of event.attempts.entries()) {
        for (const [place, name] of ATTEMPT.entries()) {
          expect([name, attempt[name]]).toEqual([name, place < length ? full.attempts[i]?.[name] : null]);
        }
      }
    }
  });

  it('may have more fields than this version knows: they are passed over', () => {
    const row = [...rowOf(sampleSettled('a')), 'of the future', 7];
    expect(decoded(row)).toEqual(sampleSettled('a'));
  });
});

describe('the id of an opened entry', () => {
  it('is the same whether read by the short way or the long, whatever it holds', () => {
    const id = fc.oneof(
      fc.uuid(),
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '"', '\\', '\\"', ']', '["', 'ä', '\u0000', '\n', '\u2028', 'x"y', "it's"),
    );
    fc.assert(
      fc.property(id, (made) => {
        const payload = Buffer.from(encodeOpened({ event: sampleEvent(made) }));
        expect(openedId(payload)).toBe(made);
        expect(decodeOpened(payload).event.id).toBe(made);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['', '[', '[1', '[1,', '[1,"', '[1,"a', '[2,"a",[]]', '[11,"a",[]]', '[1,1,[]]', '1,"a",[]]'])(
    'is refused rather than guessed: %j',
    (payload) => {
      expect(() => openedId(Buffer.from(payload))).toThrow();
    },
  );

  it('holds one row: an entry without any is none', () => {
    expect(() => decodeOpened(Buffer.from('[1,"a",[]]'))).toThrow('holds a row');
    expect(decodeSettled(Buffer.from('[1,"a",[]]'))).toEqual({ openedId: 'a', events: [] });
  });

  it('a settled entry closes the request it names, not the one its first row has', () => {
    const entry = encodeSettled({
      openedId: 'opened',
      events: [sampleSettled('row'), sampleSettled('sub', { parentId: 'row' })],
    });
    const back = decodeSettled(Buffer.from(entry));
    expect([back.openedId, back.events.map(({ id }) => id)]).toEqual(['opened', ['row', 'sub']]);
  });
});

/** Another value that a field of this name may have. */
function changedValue(name: (typeof LAYOUT)[number], base: UsageEvent): unknown {
  const value = base[name];
  if (name === 'tokens') return { ...base.tokens, outputImage: 77 };
  if (name === 'units') return { ...base.units, codeExecutionRequests: 77 };
  if (name === 'attempts') return [];
  if (name === 'tags') return ['another'];
  if (name === 'costNanoUsd' || name === 'cacheLossNanoUsd') return 77n;
  if (typeof value === 'boolean') return !value;
  return typeof value === 'number' ? value + 1 : 'another';
}
