import {
  anthropicError,
  anthropicEvents,
  anthropicMessage,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import {
  type HeaderList,
  jsonAnswer,
  type Responder,
  sseAnswer,
  sseThen,
  stall,
} from '@tallygate/testkit/fake-upstream/exchange';
import { type PoolWorld, refusal, served, startPoolWorld } from '@tallygate/testkit/pool-world';
import { CutAnswer } from '@tallygate/testkit/raw-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: PoolWorld;
const start = async (config: Record<string, string> = {}, names = ['first', 'second']) => {
  world = await startPoolWorld({
    accounts: names.map((name) => ({ name })),
    config: { TALLYGATE_FIRST_BYTE_TIMEOUT_MS: '1000', ...config },
    planeOnly: true,
  });
};
beforeEach(() => start());
afterEach(() => world.stop());

const upstream = (name: string) => world.upstream(name);
const inSeconds = (seconds: number) => String(Math.floor(Date.now() / 1000) + seconds);
const STREAM = { stream: true };
const WHOLE = JSON.stringify(anthropicMessage());
const EVENTS = anthropicEvents();

describe('an attempt that fails before the first content moves on (CF-07)', () => {
  const garbage: Responder = (exchange) => exchange.write('this is not HTTP\r\n\r\n');
  it.each<[string, Responder, string]>([
    ['429 with a reset', refusal(429, [['retry-after', '30']]), 'http_429'],
    ['429 without anything', refusal(429), 'http_429'],
    ['401', refusal(401, [], 'authentication_error'), 'http_401'],
    ['403', refusal(403, [], 'permission_error'), 'http_403'],
    ['402', refusal(402, [], 'billing_error'), 'http_402'],
    ['500', refusal(500, [], 'api_error'), 'http_500'],
    ['502', refusal(502, [], 'api_error'), 'http_502'],
    ['503', refusal(503, [], 'api_error'), 'http_503'],
    ['504', refusal(504, [], 'api_error'), 'http_504'],
    ['529', refusal(529, [], 'overloaded_error'), 'http_529'],
    ['a reset', (exchange) => exchange.reset(), 'upstream_connection_lost'],
    ['a half-close', (exchange) => exchange.halfClose(), 'upstream_connection_lost'],
    ['garbage', garbage, 'upstream_connection_lost'],
    ['silence', stall, 'upstream_timeout'],
  ])('%s', async (_name, responder, errorCode) => {
    for (const body of [{}, STREAM]) {
      await world.stop();
      await start();
      upstream('first').respond(responder);
      const answer = await world.messages(body).answer;
      expect([answer.status, served(answer)]).toEqual([200, 'second']);
      expect(answer.text).toBe('stream' in body ? EVENTS.join('') : WHOLE);
      const { request, attempts } = await world.rowOf(answer);
      expect(request).toMatchObject({ status: 'ok', account: { name: 'account-1' } });
      expect(attempts).toMatchObject([
        { index: 0, errorCode, account: { id: 'account-0' } },
        { index: 1, outcome: 'ok', account: { id: 'account-1' } },
      ]);
      expect(
        upstream('second')
          .requests[0]?.body()
          .equals(upstream('first').requests[0]?.body() as Buffer),
      ).toBe(true);
    }
  });

  it.each<[string, readonly string[]]>([
    ['as the first event', [OVERLOADED_EVENT]],
    // In one write: once a ping is held, how soon the next one comes decides.
    ['after message_start and ping', [EVENTS.slice(0, 2).join('') + OVERLOADED_EVENT]],
    ['after an empty content block', [EVENTS.slice(0, 3).join('') + OVERLOADED_EVENT]],
  ])('an error inside a 200, %s', async (_name, events) => {
    upstream('first').respond(sseThen(events, stall));
    const answer = await world.messages(STREAM).answer;
    expect(served(answer)).toBe('second');
    expect(answer.text).toBe(EVENTS.join(''));
    const { attempts } = await world.rowOf(answer);
    expect(attempts).toMatchObject([
      { httpStatus: 200, outcome: 'stream_error', errorCode: 'overloaded_error' },
      { outcome: 'ok' },
    ]);
    await upstream('first').requests[0]?.peerGone;
  });

  it.each<[string, Responder]>([
    ['a reset', (exchange) => exchange.reset()],
    ['the end of the connection', (exchange) => exchange.endChunks()],
  ])('a stream that breaks before its content, by %s', async (_name, misbehave) => {
    upstream('first').respond(sseThen(EVENTS.slice(0, 1), misbehave));
    const answer = await world.messages(STREAM).answer;
    expect([served(answer), answer.text]).toEqual(['second', EVENTS.join('')]);
  });

  it('a body that is cut before it is whole', async () => {
    upstream('first').respond(async (exchange) => {
      await exchange.head(200, [
        ['Content-Type', 'application/json'],
        ['Content-Length', String(WHOLE.length)],
      ]);
      await exchange.write(WHOLE.slice(0, 40));
      exchange.reset();
    });
    const answer = await world.messages().answer;
    expect([served(answer), answer.text]).toEqual(['second', WHOLE]);
  });
});

describe('what is never tried again (CF-07)', () => {
  it.each([400, 404, 413, 422])('%i goes to the client as it is', async (status) => {
    upstream('first').respond(refusal(status, [], 'invalid_request_error'));
    const answer = await world.messages().answer;
    expect([answer.status, served(answer)]).toEqual([status, 'first']);
    expect(answer.json()).toEqual(anthropicError('invalid_request_error', 'no'));
    expect(upstream('second').requests).toHaveLength(0);
    expect((await world.rowOf(answer)).attempts).toHaveLength(1);
  });

  it('an answer of which the client has content is never continued by another', async () => {
    upstream('first').respond(sseThen(EVENTS.slice(0, 4), (exchange) => exchange.reset()));
    const error = await world.messages(STREAM).answer.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CutAnswer);
    expect((error as CutAnswer).body.toString()).toBe(EVENTS.slice(0, 4).join(''));
    expect(upstream('second').requests).toHaveLength(0);
  });

  it('an error event after content reaches the client', async () => {
    upstream('first').respond(sseAnswer([...EVENTS.slice(0, 4), OVERLOADED_EVENT]));
    const answer = await world.messages(STREAM).answer;
    expect(answer.text.endsWith(OVERLOADED_EVENT)).toBe(true);
    expect(upstream('second').requests).toHaveLength(0);
  });

  it('nothing at all with RETRY_ATTEMPTS=0', async () => {
    await world.stop();
    await start({ RETRY_ATTEMPTS: '0' });
    upstream('first').respond(refusal(529, [], 'overloaded_error'));
    const answer = await world.messages().answer;
    expect([answer.status, upstream('second').requests.length]).toEqual([529, 0]);
  });
});

describe('the opening of a stream is held for a bounded time (CF-07)', () => {
  it('a client sees the ping of a slow stream within the bound, and the stream stays with its account', async () => {
    upstream('first').respond(
      sseThen(EVENTS.slice(0, 2), async (exchange) => {
        await call.until('event: ping');
        for (const event of EVENTS.slice(2)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const startedAt = performance.now();
    const call = world.messages(STREAM);
    expect((await call.until('event: ping')) - startedAt).toBeLessThan(1_500);
    const answer = await call.answer;
    expect([served(answer), answer.text]).toEqual(['first', EVENTS.join('')]);
  });
});

describe('nothing is held where nothing may be tried again (CF-07)', () => {
  it('RETRY_ATTEMPTS=0: what the stream says goes out as it comes', async () => {
    await world.stop();
    await start({ RETRY_ATTEMPTS: '0' });
    upstream('first').respond(sseAnswer([EVENTS[0] ?? '', OVERLOADED_EVENT]));
    const answer = await world.messages(STREAM).answer;
    expect([answer.status, answer.text]).toEqual([200, EVENTS[0] + OVERLOADED_EVENT]);
    expect((await world.rowOf(answer)).attempts).toHaveLength(1);
  });
});

describe('when all fail', () => {
  it('the last refusal goes to the client, after the rounds the policy allows', async () => {
    for (const name of ['first', 'second']) upstream(name).respond(refusal(529, [], 'overloaded_error'));
    const answer = await world.messages().answer;
    expect(answer.status).toBe(529);
    expect(answer.json()).toEqual(anthropicError('overloaded_error', 'no'));
    const { attempts, request } = await world.rowOf(answer);
    expect(request).toMatchObject({ status: 'upstream_error', errorCode: 'http_529' });
    expect(attempts.length).toBeGreaterThanOrEqual(5);
    expect(attempts.every((attempt, index) => attempt.index === index)).toBe(true);
  });

  it('limited ones answer 429 in the client’s dialect with the earliest reset, and are not asked again', async () => {
    upstream('first').respond(refusal(429, [['retry-after', '900']]));
    upstream('second').respond(refusal(429, [['retry-after', '100']]));
    const answer = await world.messages().answer;
    expect(answer.status).toBe(429);
    expect(Number(answer.value('retry-after'))).toBeGreaterThan(95);
    expect(Number(answer.value('retry-after'))).toBeLessThanOrEqual(100);
    const again = await world.messages().answer;
    expect(again.status).toBe(429);
    expect(again.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    expect(Number(again.value('retry-after'))).toBeLessThanOrEqual(100);
    expect(upstream('first').requests.length + upstream('second').requests.length).toBe(2);
  });

  it('an overload inside every stream becomes the status it should have had', async () => {
    for (const name of ['first', 'second']) upstream(name).respond(sseAnswer([OVERLOADED_EVENT]));
    const answer = await world.messages(STREAM).answer;
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
    const { request } = await world.rowOf(answer);
    expect(request).toMatchObject({ status: 'upstream_error', errorCode: 'overloaded_error' });
  });

  it('a client that leaves during the pause is settled at once, with the attempts there were', async () => {
    await world.stop();
    await start({ RETRY_DELAY_MS: '5000' }, ['only']);
    upstream('only').respond(refusal(500, [], 'api_error'));
    const call = world.messages();
    await (await upstream('only').nextRequest()).received;
    call.leave();
    const [row] = await world.gate.untilRows(1);
    expect(row).toMatchObject({ status: 'aborted' });
    expect(upstream('only').requests).toHaveLength(1);
  });
});

describe('what headers say (CF-06)', () => {
  const unified = (extra: HeaderList): HeaderList => [
    ['anthropic-ratelimit-unified-status', 'rejected'],
    ...extra,
  ];
  /** Which accounts take two calls for these models, after the first account answered one with the responder. */
  async function takers(responder: Responder, models: readonly string[]): Promise<(string | undefined)[]> {
    upstream('first').respondOnce(responder);
    await world.messages({ model: 'claude-opus-4-1' }).answer;
    const taken: (string | undefined)[] = [];
    for (const model of models) taken.push(served(await world.messages({ model }).answer));
    return taken;
  }
  const MODELS = ['claude-opus-4-1', 'claude-sonnet-4-5'];

  it('a rejected five-hour window rests the account for every model', async () => {
    const headers = unified([
      ['anthropic-ratelimit-unified-representative-claim', 'five_hour'],
      ['anthropic-ratelimit-unified-5h-status', 'rejected'],
      ['anthropic-ratelimit-unified-5h-reset', inSeconds(7200)],
    ]);
    expect(await takers(refusal(429, headers), MODELS)).toEqual(['second', 'second']);
  });

  it('a claim on a family of models rests that family only', async () => {
    const headers = unified([
      ['anthropic-ratelimit-unified-representative-claim', 'seven_day_opus'],
      ['anthropic-ratelimit-unified-7d_opus-status', 'rejected'],
      ['anthropic-ratelimit-unified-7d_opus-reset', inSeconds(400_000)],
    ]);
    expect(await takers(refusal(429, headers), MODELS)).toEqual(['second', 'first']);
  });

  it('retry-after without windows rests the model it was said for', async () => {
    expect(await takers(refusal(429, [['retry-after', '600']]), MODELS)).toEqual(['second', 'first']);
  });

  it('out of credits parks the account', async () => {
    const headers = unified([['anthropic-ratelimit-unified-overage-disabled-reason', 'out_of_credits']]);
    expect(await takers(refusal(429, headers), MODELS)).toEqual(['second', 'second']);
  });

  it('a bare 429 is no exhaustion: the account is back in a moment', async () => {
    upstream('first').respondOnce(refusal(429, [['x-should-retry', 'true']]));
    expect(served(await world.messages().answer)).toBe('second');
    await expect.poll(async () => served(await world.messages().answer), { interval: 100 }).toBe('first');
  });

  it('a warning moves new work to an equal account, never to one of lower priority', async () => {
    upstream('first').respondOnce(
      jsonAnswer(anthropicMessage(), {
        headers: [['anthropic-ratelimit-unified-status', 'allowed_warning']],
      }),
    );
    await world.messages().answer;
    expect(served(await world.messages().answer)).toBe('first');
  });
});

describe('a restart (CF-06, CF-05)', () => {
  it('forgets neither a limit nor the strategy that was chosen', async () => {
    await world.stop();
    world = await startPoolWorld({ accounts: [{ name: 'first' }, { name: 'second' }] });
    const { gate } = world;
    upstream('first').respondOnce(
      refusal(429, [
        ['anthropic-ratelimit-unified-status', 'rejected'],
        ['anthropic-ratelimit-unified-5h-status', 'rejected'],
        ['anthropic-ratelimit-unified-5h-utilization', '1.02'],
        ['anthropic-ratelimit-unified-5h-reset', inSeconds(7200)],
      ]),
    );
    expect(served(await world.messages().answer)).toBe('second');
    await gate.admin('PATCH', '/api/pool', { strategy: 'round-robin' });
    expect(await gate.terminate()).toBe(0);
    await gate.restart();
    const { accounts } = await gate.admin<{ accounts: unknown[] }>('GET', '/api/accounts');
    expect(accounts).toMatchObject([
      { name: 'first', condition: 'limited', windows: [{ name: '5h', utilization: 1.02 }] },
      { name: 'second', condition: 'ready' },
    ]);
    expect(await gate.admin('GET', '/api/pool')).toEqual({ strategy: 'round-robin', chosen: true });
    for (let i = 0; i < 3; i++) expect(served(await world.messages().answer)).toBe('second');
    expect(upstream('first').requests).toHaveLength(1);
  });
});
