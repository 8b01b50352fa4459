import {
  anthropicError,
  anthropicEvents,
  anthropicMessage,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import type { GateOptions } from '@tallygate/testkit/harness';
import { type PoolWorld, served, startPoolWorld } from '@tallygate/testkit/pool-world';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterEach, describe, expect, it } from 'vitest';

type Rule = NonNullable<GateOptions['rules']>[number];

let world: PoolWorld;
afterEach(() => world.stop());

const start = async (rules: readonly Rule[], config: Record<string, string> = {}) => {
  world = await startPoolWorld({
    accounts: [
      { name: 'first', pools: ['main'] },
      { name: 'second', pools: ['main'] },
      { name: 'spare', pools: ['spares'] },
    ],
    config,
    planeOnly: true,
    rules,
  });
};
const rule = (conditions: Rule['conditions'], actions: Rule['actions'], name = 'rule'): Rule => ({
  name,
  conditions,
  actions,
});
const upstream = (name: string) => world.upstream(name);
const sent = (name: string, index = 0) => upstream(name).requests[index] ?? expect.fail('nothing came');
const bodyOf = (name: string, index = 0) => sent(name, index).body().toString();
const down = jsonAnswer(anthropicError('overloaded_error', 'no'), { status: 529 });
const OPUS = 'claude-opus-4-1';
const HAIKU = 'claude-haiku-4-5';

describe('a rule rewrites the model (CF-09)', () => {
  it('every other byte stays, and the row has both models, the rule and what it changed', async () => {
    await start([rule({ models: ['claude-opus-*'] }, { model: HAIKU })]);
    const answer = await world.messages({ model: OPUS, metadata: { note: 'ünï  spaced' } }).answer;
    expect(answer.status).toBe(200);
    const without = await world.messages({ model: 'claude-sonnet-4-5', metadata: { note: 'ünï  spaced' } })
      .answer;
    expect(bodyOf('first')).toBe(bodyOf('first', 1).replace('claude-sonnet-4-5', HAIKU));
    const { request, rule: applied, attempts } = await world.rowOf(answer);
    expect(request.modelRequested).toBe(OPUS);
    expect(applied).toMatchObject({ id: 'rule-0', changes: [{ what: 'model', from: OPUS, to: HAIKU }] });
    expect(attempts).toMatchObject([{ model: HAIKU, chosenBy: 'priority' }]);
    const other = await world.rowOf(without);
    expect([other.rule, other.attempts[0]?.model]).toEqual([null, null]);
  });

  it('goes by words of the system prompt, whichever way it is written', async () => {
    await start([rule({ systemContains: ['code reviewer'] }, { model: HAIKU })]);
    const bodies = [
      { system: 'You are a code reviewer.' },
      {
        system: [
          { type: 'text', text: 'Hi.' },
          { type: 'text', text: 'You are a code reviewer.' },
        ],
      },
      { system: 'You write poems.', messages: [{ role: 'user', content: 'Be a code reviewer.' }] },
    ];
    for (const body of bodies) await world.messages(body).answer;
    const models = [0, 1, 2].map((i) => (JSON.parse(bodyOf('first', i)) as { model: string }).model);
    expect(models).toEqual([HAIKU, HAIKU, 'claude-sonnet-4-5']);
  });

  it('the first rule that matches is the only one', async () => {
    await start([
      rule({ models: ['gpt-*'] }, { deny: 'no' }, 'a'),
      rule({}, { pool: 'spares' }, 'b'),
      rule({}, { deny: 'never' }, 'c'),
    ]);
    const answer = await world.messages().answer;
    expect(served(answer)).toBe('spare');
    expect(await world.rowOf(answer)).toMatchObject({ pool: { id: 'spares' }, rule: { id: 'rule-1' } });
  });

  it('the limits of a key hold for what the rule asks for, not for what the client did', async () => {
    await start([
      rule({ models: ['alias-*'] }, { model: HAIKU }, 'alias'),
      rule({ models: [OPUS] }, { model: 'claude-sonnet-4-5' }, 'dear'),
    ]);
    const { key } = await world.gate.addKey({ restrictions: { models: ['claude-haiku-*', OPUS] } });
    const ask = (model: string) =>
      rawCall(
        world.gate.port,
        requestBytes({
          path: '/v1/messages',
          headers: [
            ['content-type', 'application/json'],
            ['x-api-key', key],
          ],
          body: JSON.stringify({ ...MESSAGES_BODY, model }),
        }),
      ).answer;
    expect((await ask('alias-small')).status).toBe(200);
    const refused = await ask(OPUS);
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([403, 'key_restricted']);
    expect(upstream('first').requests).toHaveLength(1);
  });
});

describe('what else a rule does (CF-09)', () => {
  it('refuses with its message, in the client’s dialect, and nothing is sent', async () => {
    await start([rule({ headers: [{ name: 'x-team', pattern: 'blue*' }] }, { deny: 'Blue has left.' })]);
    const answer = await world.messages({}, [['X-Team', 'blue-7']]).answer;
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({
      type: 'error',
      error: { type: 'permission_error', message: expect.stringContaining('Blue has left.') },
    });
    expect(answer.value('x-tallygate-error')).toBe('denied_by_rule');
    expect(upstream('first').requests).toHaveLength(0);
    expect((await world.messages().answer).status).toBe(200);
  });

  it('sets and removes headers; of their values the row keeps nothing', async () => {
    await start([
      rule({}, { setHeaders: [{ name: 'x-new', value: 'operator-secret' }], removeHeaders: ['x-old'] }),
    ]);
    const answer = await world.messages({}, [
      ['X-Old', 'client-secret'],
      ['X-New', 'forged'],
      ['X-Kept', 'yes'],
    ]).answer;
    const names = sent('first').headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
    expect(names).toContain('x-new: operator-secret');
    expect(names).toContain('x-kept: yes');
    expect(names.join('\n')).not.toMatch(/client-secret|forged/);
    const row = JSON.stringify(await world.rowOf(answer));
    expect(row).toContain('header:x-old');
    expect(row).not.toMatch(/client-secret|operator-secret|forged/);
  });

  it('lowers the output limit, and leaves a lower one alone', async () => {
    await start([rule({}, { maxOutputTokens: 50 })]);
    const high = await world.messages({ max_tokens: 4_096 }).answer;
    await world.messages({ max_tokens: 10 }).answer;
    const limits = [0, 1].map((i) => (JSON.parse(bodyOf('first', i)) as { max_tokens: number }).max_tokens);
    expect(limits).toEqual([50, 10]);
    expect((await world.rowOf(high)).rule?.changes).toEqual([
      { what: 'max_output_tokens', from: '4096', to: '50' },
    ]);
  });

  it('lowers an output limit that is no whole number, as lenient servers take some', async () => {
    await start([rule({}, { maxOutputTokens: 50 })]);
    for (const [i, limit] of ['4096', -1, 99.5].entries()) {
      await world.messages({ max_tokens: limit }).answer;
      expect(JSON.parse(bodyOf('first', i))).toMatchObject({ max_tokens: 50 });
    }
  });
});

describe('fallbacks (CF-07, CF-09)', () => {
  const chain = [rule({}, { pool: 'main', fallbacks: [{ model: HAIKU, pool: 'spares' }] })];

  it('follow when every account of the pool has failed, each attempt a row', async () => {
    await start(chain);
    for (const name of ['first', 'second']) upstream(name).respond(down);
    const answer = await world.messages({ model: OPUS }).answer;
    expect([answer.status, served(answer)]).toEqual([200, 'spare']);
    expect(JSON.parse(bodyOf('spare'))).toMatchObject({ model: HAIKU, max_tokens: 100 });
    const { request, attempts, pool, rule: applied } = await world.rowOf(answer);
    expect(request.modelRequested).toBe(OPUS);
    expect(pool?.id).toBe('spares');
    expect(attempts.map(({ account, model, chosenBy }) => [account?.id, model, chosenBy])).toEqual([
      ['account-0', null, 'priority'],
      ['account-1', null, 'failover'],
      ['account-2', HAIKU, 'fallback'],
    ]);
    expect(applied?.changes.at(-1)).toEqual({ what: 'fallback', from: 'main', to: HAIKU });
  });

  it('take over at once while all of the first are limited', async () => {
    await start(chain);
    const limit = jsonAnswer(anthropicError('rate_limit_error', 'no'), {
      status: 429,
      headers: [['retry-after', '900']],
    });
    for (const name of ['first', 'second']) upstream(name).respondOnce(limit);
    await world.messages({ model: OPUS }).answer;
    const answer = await world.messages({ model: OPUS }).answer;
    expect(served(answer)).toBe('spare');
    expect((await world.rowOf(answer)).attempts).toHaveLength(1);
    expect(upstream('first').requests).toHaveLength(1);
  });

  it('never continue an answer that has begun', async () => {
    await start(chain);
    upstream('first').respond(sseThen(anthropicEvents().slice(0, 4), (exchange) => exchange.reset()));
    await world.messages({ stream: true }).answer.catch(() => undefined);
    expect(upstream('second').requests.length + upstream('spare').requests.length).toBe(0);
  });

  it('when all fail, the client gets the last refusal', async () => {
    await start(chain, { RETRY_ATTEMPTS: '1' });
    for (const name of ['first', 'second', 'spare']) upstream(name).respond(down);
    const answer = await world.messages({ model: OPUS }).answer;
    expect([answer.status, answer.json()]).toEqual([529, anthropicError('overloaded_error', 'no')]);
  });

  it('leave the client’s mistakes alone', async () => {
    await start(chain);
    upstream('first').respond(jsonAnswer(anthropicError('invalid_request_error', 'no'), { status: 400 }));
    expect((await world.messages().answer).status).toBe(400);
    expect(upstream('spare').requests).toHaveLength(0);
  });
});

describe('the client brings its own key (CF-10)', () => {
  const OWN = 'sk-ant-own-credential-of-the-client';
  const HEADER = [['x-tallygate-upstream-key', OWN]] as const;
  const own = [rule({ models: ['claude-opus-*'] }, { ownKey: true })];
  const headersOf = (name: string, index = 0) =>
    sent(name, index)
      .headers.map(([header, value]) => `${header.toLowerCase()}: ${value}`)
      .join('\n');

  it('it goes upstream in place of the account’s, and nowhere else', async () => {
    await start(own);
    const answer = await world.messages({ model: OPUS }, HEADER).answer;
    expect(answer.status).toBe(200);
    expect(headersOf('first')).toContain(`x-api-key: ${OWN}`);
    expect(headersOf('first')).not.toMatch(/x-tallygate-upstream-key|sk-upstream/);
    expect(JSON.stringify(await world.rowOf(answer))).not.toContain(OWN);
  });

  it('without a rule that says so the header is dropped, and the account’s credential goes', async () => {
    await start(own);
    await world.messages({}, HEADER).answer;
    expect(headersOf('first')).not.toContain(OWN);
    expect(headersOf('first')).toContain('sk-upstream');
  });

  it('where a rule asks for it and none came, nothing is sent', async () => {
    await start(own);
    for (const headers of [[], [['x-tallygate-upstream-key', 'two words']]] as const) {
      const answer = await world.messages({ model: OPUS }, headers as never).answer;
      expect([401, 400]).toContain(answer.status);
    }
    expect(upstream('first').requests).toHaveLength(0);
  });

  it('what the upstream says of it goes to the client, is not tried elsewhere, and rests no account', async () => {
    await start(own);
    for (const status of [401, 429, 500]) {
      upstream('first').respondOnce(
        jsonAnswer(anthropicMessage(), { status, headers: [['retry-after', '900']] }),
      );
      expect((await world.messages({ model: OPUS }, HEADER).answer).status).toBe(status);
    }
    expect(upstream('second').requests).toHaveLength(0);
    expect(
      served(await world.messages({ model: OPUS }).answer.catch(() => expect.fail('no answer'))),
    ).toBeUndefined();
    expect(served(await world.messages().answer)).toBe('first');
  });
});
