import type { ApiKeyCreated } from '@tallygate/contract/api/keys';
import type { RequestView } from '@tallygate/contract/api/usage';
import { ANTHROPIC_MODELS, anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { geminiApi } from '@tallygate/testkit/fake-upstream/gemini';
import { chatCompletion, openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { type AccountSpec, type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const APIS: Record<string, () => ReturnType<typeof anthropicApi>> = {
  anthropic: () => anthropicApi(),
  openai: () => openAiApi(),
  compatible: () => openAiApi(),
  gemini: () => geminiApi(),
};
// One server for all: a test has accounts, upstreams and a key of its own, which are gone after it.
let gate: Gate;
let key: ApiKeyCreated;
let upstreams: FakeUpstream[];
let accountIds: string[];
beforeAll(async () => {
  gate = await startGate({ config: { RETRY_ATTEMPTS: '0' } });
});
afterAll(() => gate?.stop());
beforeEach(async () => {
  key = await gate.addKey();
});
afterEach(async () => {
  await gate.revokeKey(key.id);
  for (const id of accountIds) await gate.admin('DELETE', `/api/accounts/${id}`);
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

async function start(accounts: (Partial<AccountSpec> & { provider: string })[]): Promise<string[]> {
  accountIds = [];
  upstreams = await Promise.all(accounts.map(({ provider }) => startFakeUpstream(APIS[provider]?.())));
  for (const [index, account] of accounts.entries()) {
    const made = await gate.addAccount({
      name: `a${index}`,
      baseUrl: upstreams[index]?.url ?? '',
      ...account,
    });
    accountIds.push(made.id);
  }
  return accountIds;
}

function call(
  method: 'GET' | 'POST',
  path: string,
  options: { body?: object; secret?: string; headers?: [string, string][] } = {},
) {
  const { body, secret = key.key, headers = [] } = options;
  const fields: [string, string][] = [['x-api-key', secret], ...headers];
  if (body !== undefined) fields.push(['content-type', 'application/json']);
  return rawCall(
    gate.port,
    requestBytes({ method, path, headers: fields, body: body && JSON.stringify(body) }),
  ).answer;
}
const VERSION: [string, string] = ['anthropic-version', '2023-06-01'];
const idsOf = async (path: string, options: Parameters<typeof call>[2] = {}) =>
  ((await call('GET', path, options)).json() as { data: { id: string }[] }).data.map(({ id }) => id);
const ofThisKey = (row: RequestView) => row.key?.id === key.id;
const seen = () => upstreams.flatMap(({ requests }) => requests.map(({ path }) => path));

describe('GET /v1/models lists what the key can use (X-04)', () => {
  it('one account that nothing narrows: its upstream says, byte for byte', async () => {
    await start([{ provider: 'anthropic' }]);
    const answer = await call('GET', '/v1/models?limit=1000', { headers: [VERSION] });
    expect(answer.text).toBe(JSON.stringify(ANTHROPIC_MODELS));
    expect(upstreams[0]?.requests[0]?.target).toBe('/v1/models?limit=1000');
  });

  it('several accounts: what each listed when it was tested, what its patterns name, in every dialect', async () => {
    const [first, second] = await start([
      { provider: 'anthropic', models: ['claude-sonnet-*', 'claude-next'] },
      { provider: 'openai', models: ['gpt-*'] },
    ]);
    for (const id of [first, second]) await gate.admin('POST', `/api/accounts/${id}/test`, {});
    const before = seen().length;
    const expected = ['claude-next', 'claude-sonnet-4-5', 'gpt-5'];
    expect(await idsOf('/v1/models', { headers: [VERSION] })).toEqual(expected);
    expect(await idsOf('/v1/models')).toEqual(expected);
    const { models } = (await call('GET', '/v1beta/models')).json() as { models: { name: string }[] };
    expect(models.map(({ name }) => name)).toEqual(expected.map((id) => `models/${id}`));
    const one = await call('GET', '/v1beta/models/gpt-5');
    expect(one.json()).toMatchObject({
      name: 'models/gpt-5',
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    });
    const missing = await call('GET', '/v1beta/models/claude-opus-9');
    expect([missing.status, missing.json()]).toMatchObject([
      404,
      { error: { code: 404, status: 'NOT_FOUND' } },
    ]);
    expect(seen()).toHaveLength(before); // nothing goes upstream
  });

  it('asks upstreams of which nothing is known, once for many clients, and remembers what they said', async () => {
    await start([
      { provider: 'anthropic', models: ['claude-sonnet-*'] },
      { provider: 'openai', models: ['gpt-*'] },
    ]);
    const lists = await Promise.all(Array.from({ length: 20 }, () => idsOf('/v1/models')));
    for (const list of lists) expect(list).toEqual(['claude-sonnet-4-5', 'gpt-5']);
    expect(seen()).toHaveLength(2);
    const narrow = await gate.addKey({ restrictions: { models: ['gpt-*'] } });
    expect([await idsOf('/v1/models', { secret: narrow.key }), seen().length]).toEqual([['gpt-5'], 2]);
    expect(await gate.terminate()).toBe(0);
    await gate.restart(); // what they said is kept over a restart
    expect([await idsOf('/v1/models'), seen().length]).toEqual([['claude-sonnet-4-5', 'gpt-5'], 2]);
  });

  it('an upstream that does not list keeps the models of its price list, and holds nobody up', async () => {
    await start([{ provider: 'anthropic', models: ['claude-*'] }, { provider: 'openai' }]);
    upstreams[1]?.respond(jsonAnswer({ error: {} }, { status: 500 }));
    const ids = await idsOf('/v1/models');
    expect(ids).toEqual(expect.arrayContaining(['claude-sonnet-4-5', 'gpt-5-mini']));
    await idsOf('/v1/models');
    expect(upstreams[1]?.requests).toHaveLength(1); // and is left alone for a while
  });

  it('only what the limits of the key allow', async () => {
    await start([
      { provider: 'anthropic', models: ['claude-a', 'claude-b'] },
      { provider: 'openai', models: ['gpt-a'] },
    ]);
    const narrow = await gate.addKey({
      restrictions: { models: ['claude-a', 'gpt-*'], providers: ['anthropic'] },
    });
    expect(await idsOf('/v1/models', { secret: narrow.key })).toEqual(['claude-a']);
    expect(await idsOf('/v1/models')).toEqual(['claude-a', 'claude-b', 'gpt-a']);
  });

  it('pages as the API does', async () => {
    await start([{ provider: 'anthropic', models: ['a', 'b', 'c'] }]);
    const page = async (query: string) =>
      (await call('GET', `/v1/models?${query}`, { headers: [VERSION] })).json();
    expect(await page('limit=2')).toMatchObject({
      data: [{ id: 'a' }, { id: 'b' }],
      has_more: true,
      last_id: 'b',
    });
    expect(await page('limit=2&after_id=b')).toMatchObject({ data: [{ id: 'c' }], has_more: false });
    expect(await page('limit=1&before_id=c')).toMatchObject({ data: [{ id: 'b' }], has_more: true });
    const gemini = (await call('GET', '/v1beta/models?pageSize=2')).json() as { nextPageToken: string };
    expect(
      (await call('GET', `/v1beta/models?pageSize=2&pageToken=${gemini.nextPageToken}`)).json(),
    ).toMatchObject({
      models: [{ name: 'models/c' }],
    });
  });

  it('an untested account has the models of its price list, whatever API it speaks', async () => {
    await start([{ provider: 'openai' }, { provider: 'gemini' }]);
    const ids = await idsOf('/v1/models', { headers: [VERSION] });
    expect(ids).toEqual(expect.arrayContaining(['gpt-5', 'gemini-2.5-flash']));
  });
});

describe('tokens are counted for every model (X-04)', () => {
  const COUNT = { model: 'm', system: 'Be brief.', messages: [{ role: 'user', content: 'x'.repeat(4000) }] };
  const count = (path = '/v1/messages/count_tokens', body: object = COUNT) =>
    call('POST', path, { body, headers: [VERSION] });

  it('by the account’s own upstream where its API counts', async () => {
    await start([{ provider: 'anthropic' }]);
    const answer = await count();
    expect([answer.json(), answer.value('x-tallygate-estimate')]).toEqual([
      { input_tokens: 2095 },
      undefined,
    ]);
  });

  it('estimated where it does not, marked as such, without a row, and better once the upstream has counted', async () => {
    await start([{ provider: 'compatible' }]);
    const first = await count();
    expect(first.json()).toEqual({ input_tokens: 1003 });
    expect([first.value('x-tallygate-estimate'), first.value('x-tallygate-account')]).toEqual([
      'true',
      undefined,
    ]);
    expect(upstreams[0]?.requests).toEqual([]);
    upstreams[0]?.respond(
      jsonAnswer({
        ...chatCompletion(),
        usage: { prompt_tokens: 2000, completion_tokens: 1, total_tokens: 2001 },
      }),
    );
    await call('POST', '/v1/messages', { body: { ...COUNT, max_tokens: 9 }, headers: [VERSION] });
    await gate.untilRows(1, ofThisKey);
    expect((await count()).json()).toEqual({ input_tokens: 2000 });
    const opened = await call('POST', '/v1/messages', {
      body: { ...COUNT, max_tokens: 9, stream: true },
      headers: [VERSION],
    });
    expect(opened.text).toMatch(/event: message_start\n.*"usage":\{"input_tokens":2000,/);
    const rows = await gate.untilRows(2, ofThisKey);
    expect(rows.map((row) => row.apiFlavor)).not.toContain('anthropic.count_tokens');
  });

  it('the Gemini way too, of contents or of a whole request', async () => {
    await start([{ provider: 'compatible' }]);
    const contents = [{ role: 'user', parts: [{ text: 'x'.repeat(400) }] }];
    const path = '/v1beta/models/some-model:countTokens';
    expect((await count(path, { contents })).json()).toEqual({ totalTokens: 100 });
    const whole = {
      generateContentRequest: {
        model: 'models/some-model',
        contents,
        systemInstruction: { parts: [{ text: 'y'.repeat(40) }] },
      },
    };
    expect((await count(path, whole)).json()).toEqual({ totalTokens: 110 });
  });

  it('a request that cannot be read is refused in the client’s dialect', async () => {
    await start([{ provider: 'compatible' }]);
    const answer = await count('/v1/messages/count_tokens', { model: 'm', messages: 'Hi' });
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { type: 'error', error: { type: 'invalid_request_error' } },
    ]);
  });
});
