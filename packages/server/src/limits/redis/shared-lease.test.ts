import { rateLimit } from '@tallygate/testkit/rate-conformance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../rate-limit.ts';
import { bucketOf, type Ending, kindOf, SharedLease, type SharedPart, sliceMsOf } from './shared-lease.ts';

const part = (limit: RateLimit, amount = 1): SharedPart => ({
  ...{ limit, keys: ['c', 'l', 'i'], partition: '', amount, slice: '7', ended: false },
  standing: { limit, partition: '', used: 0, held: 0, left: 0, msUntilEmpty: 0 },
});

const requests = rateLimit('requests');
const slots = rateLimit('slots', { measure: 'concurrent_requests', windowMs: null });
const tokens = rateLimit('tokens', { measure: 'tokens' });
const output = rateLimit('output', { measure: 'output_tokens' });
const ofAccount = rateLimit('account', { measure: 'input_tokens', per: 'account' });
const all = () => [part(requests), part(slots), part(tokens, 90), part(output, 50), part(ofAccount, 40)];

type Told = [limit: string, actual: number, takenBack: boolean];

function lease(parts: readonly SharedPart[] = all()) {
  const told: Told[][] = [];
  const ends: SharedLease[] = [];
  const made = new SharedLease('x', parts, {
    send: (_lease, endings: readonly Ending[]) => {
      told.push(endings.map(({ part: { limit }, actual, takenBack }) => [limit.id, actual, takenBack]));
    },
    onEnd: (ended) => void ends.push(ended),
  });
  return { lease: made, told, ends };
}

const cameTo = { input: 10, output: 5 };

describe('what a request has of the counts that nodes share (CW-04, X-08)', () => {
  it('tokens become what they came to, each in its direction, and the slot stays until the end', () => {
    const { lease: one, told, ends } = lease();
    one.settle(0, cameTo);
    one.settle(0, { input: 99, output: 99 });
    expect([one.ended, ends]).toEqual([false, []]);
    one.end();
    one.end();
    expect(told).toEqual([
      [
        ['tokens', 15, false],
        ['output', 5, false],
        ['account', 10, false],
      ],
      [['slots', 0, false]],
    ]);
    expect([one.ended, ends]).toEqual([true, [one]]);
  });

  it('of an answer that was cut each count has at least what it kept back', () => {
    const { lease: one, told } = lease();
    one.settle(0, { input: 60, output: 0 }, { atLeastHeld: true });
    expect(told).toEqual([
      [
        ['tokens', 90, false],
        ['output', 50, false],
        ['account', 60, false],
      ],
    ]);
  });

  it('one that ends without a word frees everything but the request itself, which was sent', () => {
    const { lease: one, told } = lease();
    one.end();
    one.settle(0, cameTo);
    one.refund();
    expect(told.flat().map(([id, actual, back]) => `${id} ${actual} ${back}`)).toEqual([
      ...['slots 0 false', 'tokens 0 false', 'output 0 false', 'account 0 false'],
    ]);
  });

  it('one that was not sent is taken back everywhere, and what had settled is not taken twice', () => {
    const { lease: one, told, ends } = lease();
    one.settle(0, cameTo);
    one.refund();
    one.refund();
    one.end();
    expect(told.slice(1)).toEqual([
      [
        ['requests', 0, true],
        ['slots', 0, true],
      ],
    ]);
    expect(ends).toHaveLength(1);
  });

  it('leaving an account frees what counts there, and only there; the attempt itself stays counted', () => {
    const calls = rateLimit('calls', { scope: [{ kind: 'provider', value: 'anthropic' }] });
    const { lease: one, told } = lease([...all(), part(calls)]);
    const left = one.leaveAccount();
    expect(left.map(({ limit }) => limit.id)).toEqual(['account', 'calls']);
    expect(told).toEqual([[['account', 0, false]]]);
    one.refund();
    expect(told[1]?.map(([id]) => id)).toEqual(['requests', 'slots', 'tokens', 'output']);
  });

  it('where the counts are told later, they are not told now; a move that is taken back leaves nothing', () => {
    const { lease: one, told } = lease();
    const later: Told[] = [];
    one.leaveAccount((_lease, endings) => {
      for (const { part: ended, actual, takenBack } of endings)
        later.push([ended.limit.id, actual, takenBack]);
    });
    expect([told, later]).toEqual([[], [['account', 0, false]]]);
    const joined = [part(ofAccount, 7), part(rateLimit('calls', { per: 'account' }))];
    one.parts = [...one.parts, ...joined];
    one.dropParts(joined);
    one.dropParts(joined);
    expect(told).toEqual([
      [
        ['account', 0, true],
        ['calls', 0, true],
      ],
    ]);
    expect(one.standings()).toHaveLength(4);
  });

  it('nothing is given back twice, whatever comes in whatever order (property)', () => {
    const calls = fc.constantFrom('settle', 'end', 'refund', 'leave', 'drop');
    fc.assert(
      fc.property(fc.array(calls, { maxLength: 8 }), (steps) => {
        const { lease: one, told, ends } = lease();
        for (const step of steps) {
          if (step === 'settle') one.settle(0, cameTo);
          else if (step === 'end') one.end();
          else if (step === 'refund') one.refund();
          else if (step === 'leave') one.leaveAccount();
          else one.dropParts(one.parts.slice(1, 2));
        }
        const ids = told.flat().map(([id]) => id);
        expect(ids).toEqual([...new Set(ids)]);
        expect(told.every((endings) => endings.length > 0)).toBe(true);
        expect(ends).toHaveLength(steps.some((step) => step === 'end' || step === 'refund') ? 1 : 0);
      }),
    );
  });

  it('scripts are told what kind of count it is, how long a slice is, and the bucket in whole numbers', () => {
    expect([requests, slots, tokens, output, ofAccount].map(kindOf)).toEqual(['r', 'c', 't', 't', 't']);
    expect(kindOf(rateLimit('s', { measure: 'concurrent_streams', windowMs: null }))).toBe('c');
    expect([sliceMsOf({ ...requests, windowMs: 60_000 }), sliceMsOf(slots)]).toEqual([3_000, 0]);
    const burst = { ...requests, limit: 90, windowMs: 60_000, burst: 4 };
    expect(bucketOf(burst)).toEqual([3, 2_000, 8_000]); // 90 a minute are 3 in 2,000 ms
    expect([bucketOf({ ...burst, burst: null }), bucketOf(slots)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});
