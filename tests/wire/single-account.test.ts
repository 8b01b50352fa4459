import { anthropicEvents, OVERLOADED_EVENT } from '@tallygate/testkit/fake-upstream/anthropic';
import { type Responder, sseAnswer, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { type PoolWorld, refusal, served, startPoolWorld } from '@tallygate/testkit/pool-world';
import { afterEach, describe, expect, it } from 'vitest';

let world: PoolWorld;
const start = async (config: Record<string, string> = {}, names = ['only']) => {
  world = await startPoolWorld({ accounts: names.map((name) => ({ name })), config, planeOnly: true });
};
afterEach(() => world.stop());

const upstream = (name: string) => world.upstream(name);
const STREAM = { stream: true };
const EVENTS = anthropicEvents();

describe('one account is tried again after a pause (CF-07)', () => {
  it.each<[string, Responder]>([
    ['an error as the first event', sseThen([OVERLOADED_EVENT], stall)],
    // In one write: what comes later is with the client already, as long as the account was well.
    ['an error after message_start', sseThen([EVENTS[0] + OVERLOADED_EVENT], stall)],
    ['a stream that breaks', sseThen([], (exchange) => exchange.reset())],
    ['a stream that ends', sseThen([], (exchange) => exchange.endChunks())],
    ['503', refusal(503, [], 'api_error')],
    ['529', refusal(529, [], 'overloaded_error')],
    ['a reset', (exchange) => exchange.reset()],
  ])('after %s before any content', async (_name, responder) => {
    await start();
    upstream('only').respondOnce(responder);
    const answer = await world.messages(STREAM).answer;
    expect([answer.status, answer.text]).toEqual([200, EVENTS.join('')]);
    expect((await world.rowOf(answer)).attempts).toMatchObject([
      { chosenBy: 'only' },
      { chosenBy: 'retry', outcome: 'ok' },
    ]);
  });

  it('as often as RETRY_ATTEMPTS says, and the client learns the status it should have had', async () => {
    await start({ RETRY_ATTEMPTS: '2' });
    upstream('only').respond(sseAnswer([OVERLOADED_EVENT]));
    const answer = await world.messages(STREAM).answer;
    expect([answer.status, answer.json()]).toMatchObject([503, { error: { type: 'overloaded_error' } }]);
    expect(upstream('only').requests).toHaveLength(3);
  });

  it('held until its content once it has stumbled, so that a later error is made good, too', async () => {
    await start();
    upstream('only').respondOnce(sseThen([OVERLOADED_EVENT], stall));
    // Each event in a write of its own, and a moment between them.
    const late = sseAnswer([EVENTS[0] ?? '', EVENTS[2] ?? '', OVERLOADED_EVENT], { gapMs: 20 });
    upstream('only').respondOnce(late);
    const answer = await world.messages(STREAM).answer;
    expect([answer.status, answer.text]).toEqual([200, EVENTS.join('')]);
    expect(upstream('only').requests).toHaveLength(3);
  });

  it('an account that is well keeps nobody waiting: its first events leave as they come', async () => {
    await start();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    upstream('only').respondOnce(
      sseThen(EVENTS.slice(0, 1), async (exchange) => {
        await held;
        for (const event of EVENTS.slice(1)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const call = world.messages(STREAM);
    const startedAt = performance.now();
    expect((await call.until('message_start')) - startedAt).toBeLessThan(450); // far from the bound of a hold
    release();
    expect((await call.answer).text).toBe(EVENTS.join(''));
  });

  it('not when the provider asks not to be asked again', async () => {
    await start();
    upstream('only').respond(refusal(529, [['x-should-retry', 'false']], 'overloaded_error'));
    const answer = await world.messages(STREAM).answer;
    expect([answer.status, upstream('only').requests.length]).toEqual([529, 1]);
  });

  it('also when the other account is limited until somebody changes that', async () => {
    await start({}, ['first', 'second']);
    upstream('first').respondOnce(refusal(429, [['retry-after', '900']]));
    await world.messages().answer;
    upstream('second').respondOnce(sseThen([EVENTS[0] + OVERLOADED_EVENT], stall));
    const answer = await world.messages(STREAM).answer;
    expect([served(answer), answer.text]).toEqual(['second', EVENTS.join('')]);
  });
});
