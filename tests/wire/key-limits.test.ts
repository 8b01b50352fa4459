import type { KeyRestrictions } from '@tallygate/contract/api/keys';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
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

async function keyWith(restrictions: Partial<KeyRestrictions>): Promise<string> {
  return (await world.gate.addKey({ restrictions })).key;
}

describe('limits of a key at the gate (CF-13)', () => {
  it.each<[string, Partial<KeyRestrictions>, RegExp]>([
    ['address', { addresses: ['192.0.2.0/24'] }, /address 127\.0\.0\.1/],
    ['origin', { origins: ['https://app.example.com'] }, /names no origin/],
    ['model', { models: ['claude-haiku-*'] }, /this model/],
    ['provider', { providers: ['openai'] }, /providers that serve this request/],
  ] as const)(
    'another %s: 403 in the client’s dialect, and nothing goes upstream',
    async (_what, limits, why) => {
      const key = await keyWith(limits);
      const answer = await world.messages(MESSAGES_BODY, { key }).answer;
      expect(answer.status).toBe(403);
      expect(answer.value('x-tallygate-error')).toBe('key_restricted');
      const body = JSON.parse(answer.text);
      expect(body).toMatchObject({ type: 'error', error: { type: 'permission_error' } });
      expect(body.error.message).toMatch(why);
      expect(world.anthropic.requests).toHaveLength(0);
    },
  );

  it.each([
    ['twice', '"model":"gpt-5"', '"model":"gpt-4o-mini"'],
    ['twice, once in other bytes', '"m\\u006fdel":"gpt-5"', '"model":"gpt-4o-mini"'],
    ['in other letters as well', '"model":"gpt-4o-mini"', '"Model":"gpt-5"'],
  ])(
    '400 where the model is named %s: whichever the provider takes, it was judged',
    async (_how, one, other) => {
      const key = await keyWith({ models: ['gpt-4o-mini'] });
      const body = `{${one},"messages":[{"role":"user","content":"Say \\"model\\": twice"}],${other}}`;
      const answer = await world.chat(body, { key }).answer;
      expect([answer.status, answer.value('x-tallygate-error')]).toEqual([400, 'invalid_request']);
      expect(world.openai.requests).toHaveLength(0);
    },
  );

  it('answers OpenAI clients in theirs', async () => {
    const key = await keyWith({ models: ['claude-*'] });
    const answer = await world.chat(CHAT_BODY, { key }).answer;
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ error: { code: 'key_restricted' } });
  });

  it('lets through what all limits allow', async () => {
    const key = await keyWith({
      addresses: ['127.0.0.0/8'],
      origins: ['https://app.example.com'],
      models: ['claude-*'],
      providers: ['anthropic'],
    });
    const headers: [string, string][] = [['Origin', 'https://app.example.com']];
    expect((await world.messages(MESSAGES_BODY, { key, headers }).answer).status).toBe(200);
    expect((await world.messages({ ...MESSAGES_BODY, model: 'gpt-5' }, { key, headers }).answer).status).toBe(
      403,
    );
  });

  it('refuses a metered call without a model, and lets the list of models through', async () => {
    const key = await keyWith({ models: ['gpt-*'] });
    const { model: _model, ...nameless } = CHAT_BODY;
    expect((await world.chat(nameless, { key }).answer).status).toBe(403);
    expect((await world.get('/v1/models', { key }).answer).status).toBe(200);
  });
});

describe('a key that is revoked (TW-05)', () => {
  it('in mid-stream: the client’s connection breaks off, the upstream is let go, the row says why', async () => {
    const { id, key } = await world.gate.addKey();
    world.anthropic.respondOnce(sseThen(anthropicEvents().slice(0, 5), stall));
    const call = world.messages({ ...MESSAGES_BODY, stream: true }, { key });
    await call.until('content_block_delta');
    const head = await call.head;
    await world.gate.revokeKey(id);
    await expect(call.answer).rejects.toThrow();
    await world.anthropic.requests[0]?.peerGone;
    const { request } = await world.rowOf(head);
    expect(request).toMatchObject({ status: 'interrupted', errorCode: 'key_revoked', key: { id } });
    expect((await world.messages(MESSAGES_BODY, { key }).answer).status).toBe(401);
  });

  it('before the answer begins: 401', async () => {
    const { id, key } = await world.gate.addKey();
    world.anthropic.respondOnce(stall);
    const call = world.messages(MESSAGES_BODY, { key });
    const request = await world.anthropic.nextRequest();
    await request.received;
    await world.gate.revokeKey(id);
    const answer = await call.answer;
    expect(answer.status).toBe(401);
    expect(answer.value('x-tallygate-error')).toBe('invalid_api_key');
    await request.peerGone;
  });

  it('while its request is still being sent: 401, and nothing goes upstream', async () => {
    const { id, key } = await world.gate.addKey();
    const headers: [string, string][] = [
      ['content-type', 'application/json'],
      ['x-api-key', key],
    ];
    const bytes = requestBytes({ path: '/v1/messages', headers, body: JSON.stringify(MESSAGES_BODY) });
    const call = rawCall(world.gate.port, bytes.subarray(0, -10));
    await world.gate.adminRequest('GET', '/api/keys'); // by now the head has been read
    await world.gate.revokeKey(id);
    call.socket.write(bytes.subarray(-10));
    expect((await call.answer).status).toBe(401);
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('leaves the streams of other keys alone', async () => {
    const other = await world.gate.addKey();
    world.anthropic.respondOnce(stall);
    const call = world.messages(MESSAGES_BODY);
    const request = await world.anthropic.nextRequest();
    await request.received;
    await world.gate.revokeKey(other.id);
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
    call.leave();
  });
});

describe('a key that is rotated (TW-05)', () => {
  const rotate = (id: string, overlapSeconds: number) =>
    world.gate.admin<{ key: string }>('POST', `/api/keys/${id}/rotate`, { overlapSeconds });

  it('both secrets work during the overlap, are one key in the ledger, and keep their limits', async () => {
    const { id, key } = await world.gate.addKey({ restrictions: { models: ['claude-*'] } });
    const renewed = await rotate(id, 600);
    for (const secret of [key, renewed.key]) {
      const answer = await world.messages(MESSAGES_BODY, { key: secret }).answer;
      expect(answer.status).toBe(200);
      expect((await world.rowOf(answer)).request.key?.id).toBe(id);
      expect((await world.chat(CHAT_BODY, { key: secret }).answer).status).toBe(403);
    }
  });

  it('without overlap the old secret fails at once, running streams included', async () => {
    const { id, key } = await world.gate.addKey();
    world.anthropic.respondOnce(sseThen(anthropicEvents().slice(0, 5), stall));
    const call = world.messages({ ...MESSAGES_BODY, stream: true }, { key });
    await call.until('content_block_delta');
    const renewed = await rotate(id, 0);
    await expect(call.answer).rejects.toThrow();
    expect((await world.messages(MESSAGES_BODY, { key }).answer).status).toBe(401);
    expect((await world.messages(MESSAGES_BODY, { key: renewed.key }).answer).status).toBe(200);
  });
});
