import {
  anthropicError,
  anthropicEvents,
  anthropicMessage,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { type HeaderList, jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { type PoolWorld, startPoolWorld } from '@tallygate/testkit/pool-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * One account, one try a call: what an answer's headers say decides whether the next call reaches the upstream at all,
 * and what `retry-after` the client gets when it does not.
 */
let world: PoolWorld;
let accounts = 0;
const PREFIX = 'anthropic-ratelimit-unified';
const inSeconds = (seconds: number) => String(Math.floor(Date.now() / 1000) + seconds);
const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const unified = (status: string, rest: Record<string, string> = {}): HeaderList => [
  [`${PREFIX}-status`, status],
  ...Object.entries(rest).map(([name, value]) => [`${PREFIX}-${name}`, value] as const),
];

beforeAll(async () => {
  world = await startPoolWorld({
    accounts: [{ name: 'only' }],
    config: { RETRY_ATTEMPTS: '0' },
    planeOnly: true,
  });
});
afterAll(() => world.stop());

const upstream = () => world.upstreams.only ?? expect.fail('no upstream');

interface Row {
  name: string;
  status: number;
  headers: () => HeaderList;
  /** Seconds that the account rests for the same model; null when the next call reaches the upstream. */
  rests: number | null;
  /** Seconds for another model, where that differs. */
  otherModel?: number | null;
  body?: unknown;
}
const OPUS = 'claude-opus-4-1';
const SONNET = 'claude-sonnet-4-5';
const HOUR = 3_600;

const HARD = ['rejected', 'rate_limited', 'blocked', 'queueing_hard', 'payment_required'].map(
  (status): Row => ({
    name: `429, ${status} with a reset in epoch seconds`,
    status: 429,
    headers: () => unified(status, { reset: inSeconds(900) }),
    rests: 900,
  }),
);
const SOFT = ['allowed_warning', 'queueing_soft', 'allowed', 'something_new'].map(
  (status): Row => ({
    name: `200, ${status}: no rest`,
    status: 200,
    headers: () => unified(status, { reset: inSeconds(900) }),
    rests: null,
  }),
);

const ROWS: readonly Row[] = [
  ...HARD,
  ...SOFT,
  {
    name: '429, unified status without a reset: retry-after',
    status: 429,
    headers: () => [...unified('rejected'), ['retry-after', '120']],
    rests: 120,
  },
  {
    name: '429, unified status without a reset or anything else: a short rest',
    status: 429,
    headers: () => unified('rejected'),
    rests: 15,
  },
  {
    name: '429, an unknown status goes by the status code and retry-after',
    status: 429,
    headers: () => [...unified('something_new'), ['retry-after', '90']],
    rests: 90,
    otherModel: null,
  },
  {
    name: '429, the latest reset of the rejected windows, not of the others',
    status: 429,
    headers: () =>
      unified('rejected', {
        '5h-status': 'rejected',
        '5h-reset': inSeconds(600),
        '7d-status': 'rejected',
        '7d-reset': inSeconds(4 * 24 * HOUR),
        '30d-status': 'allowed',
        '30d-reset': inSeconds(20 * 24 * HOUR),
      }),
    rests: 4 * 24 * HOUR,
  },
  {
    name: '429, a far reset is honoured in full',
    status: 429,
    headers: () => unified('rejected', { '7d-status': 'rejected', '7d-reset': inSeconds(6.5 * 24 * HOUR) }),
    rests: 6.5 * 24 * HOUR,
  },
  {
    name: '429, a window nobody has heard of',
    status: 429,
    headers: () => unified('rejected', { '7d_oi-status': 'rejected', '7d_oi-reset': inSeconds(700) }),
    rests: 700,
  },
  {
    name: '429, a claim on a family of models leaves the others alone',
    status: 429,
    headers: () =>
      unified('rejected', {
        'representative-claim': 'seven_day_opus',
        '7d_opus-status': 'rejected',
        '7d_opus-reset': inSeconds(800),
      }),
    rests: 800,
    otherModel: null,
  },
  {
    name: '429, a claim on overage is about the account',
    status: 429,
    headers: () =>
      unified('rejected', { 'representative-claim': 'seven_day_overage_included', reset: inSeconds(500) }),
    rests: 500,
  },
  {
    name: '429, out of credits is a long rest and not a minute',
    status: 429,
    headers: () => unified('rejected', { 'overage-disabled-reason': 'out_of_credits' }),
    rests: HOUR,
  },
  {
    name: '200, rejected and served all the same is paid overage: no rest',
    status: 200,
    headers: () => unified('rejected', { 'overage-status': 'allowed', 'overage-in-use': 'true' }),
    rests: null,
  },
  {
    name: '429, a family of tokens that is used up, its reset in RFC 3339',
    status: 429,
    headers: () => [
      ['anthropic-ratelimit-requests-remaining', '17'],
      ['anthropic-ratelimit-requests-reset', at(5_000)],
      ['anthropic-ratelimit-input-tokens-limit', '40000'],
      ['anthropic-ratelimit-input-tokens-remaining', '0'],
      ['anthropic-ratelimit-input-tokens-reset', at(200)],
    ],
    rests: 200,
    otherModel: null,
  },
  {
    name: '429, the other way round and as a span',
    status: 429,
    headers: () => [
      ['x-ratelimit-remaining-tokens', '0'],
      ['x-ratelimit-reset-tokens', '6m0s'],
    ],
    rests: 360,
    otherModel: null,
  },
  {
    name: '429, retry-after as an HTTP date',
    status: 429,
    headers: () => [['retry-after', new Date(Date.now() + 300_000).toUTCString()]],
    rests: 300,
    otherModel: null,
  },
  {
    name: '429, retry-after-ms is the more exact one',
    status: 429,
    headers: () => [
      ['retry-after', '999'],
      ['retry-after-ms', '60000'],
    ],
    rests: 60,
    otherModel: null,
  },
  {
    name: '429 with x-should-retry and nothing else is no exhaustion',
    status: 429,
    headers: () => [
      ['x-should-retry', 'true'],
      ['x-robots-tag', 'none'],
    ],
    rests: null,
  },
  {
    name: '429 whose body alone says that there is no quota',
    status: 429,
    headers: () => [],
    body: { error: { type: 'insufficient_quota' } },
    // The body is read where another attempt may follow; with one try a call it is the client's alone.
    rests: null,
  },
  { name: '402 parks the account', status: 402, headers: () => [], rests: HOUR },
  ...[400, 401, 403, 404, 413, 422, 500, 502, 503, 504, 529].map(
    (status): Row => ({
      name: `${status} is no limit: the next call is tried`,
      status,
      headers: () => [],
      rests: null,
    }),
  ),
];

/** A limit that a test left behind is none of the next one's: each has an account of its own. */
async function freshAccount(): Promise<void> {
  const old = world.gate.accounts.at(-1);
  if (old !== undefined) await world.gate.pauseAccount(old.id, true);
  accounts += 1;
  await world.gate.addAccount({ provider: 'anthropic', name: `a${accounts}`, baseUrl: upstream().url });
}

async function restOf(model: string): Promise<number | null> {
  const before = upstream().requests.length;
  const answer = await world.messages({ model }).answer;
  if (upstream().requests.length > before) return null;
  expect([answer.status, answer.value('x-tallygate-error')]).toEqual([429, 'accounts_limited']);
  expect(answer.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  return Number(answer.value('retry-after'));
}

function expectRest(actual: number | null, expected: number | null): void {
  if (expected === null) return expect(actual).toBeNull();
  expect(actual).not.toBeNull();
  expect(actual).toBeGreaterThan(Math.max(0, expected - 60));
  expect(actual).toBeLessThanOrEqual(expected + 1);
}

describe.each(ROWS)('$name (CF-06)', ({ status, headers, rests, otherModel = rests, body }) => {
  it.each([false, true])('streamed: %s', async (stream) => {
    await freshAccount();
    const whole = body ?? (status === 200 ? anthropicMessage() : anthropicError('rate_limit_error', 'no'));
    const type: HeaderList = stream && status === 429 ? [['content-type', 'text/event-stream']] : [];
    upstream().respondOnce(jsonAnswer(whole, { status, headers: [...headers(), ...type] }));
    const answer = await world.messages({ model: OPUS, stream }).answer;
    expect(answer.status).toBe(status);
    expectRest(await restOf(OPUS), rests);
    expectRest(await restOf(SONNET), otherModel);
  });
});

it('200 goes to the client byte for byte, limits and all (CF-06)', async () => {
  await freshAccount();
  const answer = await world.messages({ stream: true }).answer;
  expect([answer.status, answer.text]).toEqual([200, anthropicEvents().join('')]);
});
