import { EMBEDDINGS } from '@tallygate/testkit/fake-upstream/openai';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.anthropic.clear();
  world.openai.clear();
});

const VERSION: [string, string] = ['anthropic-version', '2023-06-01'];

describe('paths that lead upstream (CF-01)', () => {
  it.each([
    ['/v1/messages', '/v1/messages'],
    ['/anthropic/v1/messages', '/v1/messages'],
    ['/v1/messages/count_tokens', '/v1/messages/count_tokens'],
    ['/anthropic/v1/messages/count_tokens', '/v1/messages/count_tokens'],
  ])('POST %s', async (path, upstreamPath) => {
    const answer = await world.messages(MESSAGES_BODY, { path: `${path}?beta=true` }).answer;
    expect(answer.status).toBe(200);
    expect(world.anthropic.requests.map((r) => `${r.method} ${r.target}`)).toEqual([
      `POST ${upstreamPath}?beta=true`,
    ]);
  });

  it.each([
    ['/v1/chat/completions', CHAT_BODY],
    ['/openai/v1/chat/completions', CHAT_BODY],
    ['/v1/responses', { model: 'gpt-5', input: 'Hi' }],
    ['/openai/v1/responses', { model: 'gpt-5', input: 'Hi' }],
    ['/v1/embeddings', { model: 'text-embedding-3-small', input: 'Hi' }],
    ['/openai/v1/embeddings', { model: 'text-embedding-3-small', input: 'Hi' }],
  ])('POST %s', async (path, body) => {
    const answer = await world.post(path, body).answer;
    expect(answer.status).toBe(200);
    expect(world.openai.requests.map((r) => r.target)).toEqual([path.replace(/^\/openai/, '')]);
  });

  it('models: the headers or the prefix say which API is meant', async () => {
    const shape = async (path: string, headers: [string, string][] = []) => {
      const list = (await world.get(path, { headers }).answer).json() as { object?: string; data: object[] };
      return [list.object, Object.keys(list.data[0] ?? {})];
    };
    const anthropic = [undefined, ['type', 'id', 'display_name', 'created_at']];
    const openai = ['list', ['id', 'object', 'created', 'owned_by']];
    expect(await shape('/v1/models?limit=1000', [VERSION])).toEqual(anthropic);
    expect(await shape('/anthropic/v1/models')).toEqual(anthropic);
    expect(await shape('/v1/models')).toEqual(openai);
    expect(await shape('/openai/v1/models')).toEqual(openai);
    // Several accounts serve this key: each is asked for its own list, once for all of these, with its own credential.
    const asked = [world.anthropic, world.openai].map(({ requests }) =>
      requests.map((r) => r.method + r.target),
    );
    expect(asked).toEqual([['GET/v1/models?limit=1000'], ['GET/v1/models']]);
    const heads = [...world.anthropic.requests, ...world.openai.requests].map((r) =>
      r.rawHead.toString('latin1'),
    );
    expect(heads.filter((head) => head.includes(world.gate.key))).toEqual([]);
  });

  it('count_tokens and models cost nothing and are not rows of usage', async () => {
    await world.messages(MESSAGES_BODY, { path: '/v1/messages/count_tokens' }).answer;
    await world.get('/v1/models').answer;
    const answer = await world.messages(MESSAGES_BODY).answer;
    await world.rowOf(answer);
    const rows = await world.gate.requestsJson();
    expect(rows.map((row) => row.apiFlavor)).not.toContain('anthropic.count_tokens');
    expect(rows.map((row) => row.apiFlavor)).not.toContain('openai.models');
  });

  it('embeddings are metered', async () => {
    const answer = await world.post('/v1/embeddings', { model: 'text-embedding-3-small', input: 'x' }).answer;
    expect(answer.json()).toEqual(EMBEDDINGS);
    const { request } = await world.rowOf(answer);
    expect(request.tokens.inputUncached).toBe(1000);
    expect(request.costUsd).toBe('0.00002');
  });
});

describe('everything else', () => {
  it.each([
    ['POST', '/v1/messages/batches', true],
    ['POST', '/v1/messages/', true],
    ['POST', '/v1/messages/../messages', true],
    ['POST', '/v1//messages', true],
    ['POST', '//v1/messages', true],
    ['POST', '/v1/%6dessages', true],
    ['POST', '/V1/messages', true],
    ['POST', '/anthropic/v1/complete', true],
    ['POST', '/v1/files', true],
    ['GET', '/v1/organizations/usage_report/messages', true],
    ['GET', '/v1/messages', true],
    ['DELETE', '/v1/messages', true],
    ['PUT', '/v1/messages', true],
    ['POST', '/anthropic/v1/chat/completions', true],
    ['POST', '/v1/chat/completions/x', false],
    ['GET', '/openai/v1/files', false],
    ['POST', '/v1/fine_tuning/jobs', false],
    ['POST', '/openai/v1/messages', false],
    ['POST', 'http://evil.example/v1/messages', true],
  ])('%s %s is 404 (or 405) in the dialect and reaches no upstream', async (method, path, anthropic) => {
    const headers: [string, string][] = [
      ['x-api-key', world.gate.key],
      ['content-type', 'application/json'],
      ...(anthropic ? [VERSION] : []),
    ];
    const answer = await rawCall(world.gate.port, requestBytes({ method, path, headers, body: '{}' })).answer;
    // A target that is no path at all is refused as malformed.
    expect(path.startsWith('/') ? [404, 405] : [400]).toContain(answer.status);
    const body = answer.json() as { type?: string; error: { type?: string; code?: string } };
    if (/^\/(v1|anthropic|openai)\//.test(path)) {
      if (anthropic) expect(body).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
      else expect(body.error).toMatchObject({ type: 'invalid_request_error' });
    }
    expect(world.anthropic.requests.length + world.openai.requests.length).toBe(0);
  });

  it('an unlisted path says nothing more to one without a key', async () => {
    const answer = await world.post('/v1/files', '{}', { key: null }).answer;
    expect([401, 404]).toContain(answer.status);
    expect(answer.text).not.toMatch(/stack|node_modules|\.ts/);
  });

  it('the connection lives on after a refusal whose body was read', async () => {
    const headers: [string, string][] = [['x-api-key', world.gate.key]];
    const refused = requestBytes({ method: 'GET', path: '/v1/nothing', headers });
    const { socket, answer } = rawCall(world.gate.port, refused);
    expect((await answer).value('connection')?.toLowerCase()).not.toBe('close');
    socket.destroy();
  });
});
