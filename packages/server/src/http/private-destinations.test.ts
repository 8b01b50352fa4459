import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: AdminWorld;
/** An admin key of the second workspace, which may do everything in it. */
let theirs: Record<string, string>;

const inSecond = { 'x-tallygate-workspace': 'second' };
const local = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  world.call(path, { local: true, body, headers });
const asThem = (path: string, body: unknown, method = 'POST') =>
  world.call(path, { headers: theirs, method, body });

beforeAll(async () => {
  world = await startAdminWorld(await openTestStore());
  await local('/api/workspaces', { slug: 'second' });
  const key = await local('/api/keys', { name: 'all', scopes: ['admin'] }, inSecond);
  theirs = { 'x-api-key': String(key.json.key) };
});
afterAll(() => world.close());

const inside = { baseUrl: 'http://127.0.0.1:5432', allowPrivateUpstream: true };
const target = (host: string) => ({ kind: 'slack', url: `http://${host}/hook` });

describe('what stands behind the server, seen from another workspace (TW-17)', () => {
  it.each([
    ['an address on this machine', { provider: 'openai', apiKey: 'sk-1', ...inside }],
    [
      'a public name, which may lead inside later',
      { provider: 'openai', apiKey: 'sk-1', allowPrivateUpstream: true },
    ],
    ['a preset that is private by nature', { provider: 'compatible', preset: 'ollama' }],
    ['such a preset at another port', { provider: 'compatible', preset: 'ollama', baseUrl: inside.baseUrl }],
  ])('403 for an account at %s, and 201 for the operator there', async (name, body) => {
    const answer = await asThem('/api/accounts', { name, ...body });
    expect([answer.status, answer.json.error?.code]).toEqual([403, 'permission_denied']);
    expect(answer.json.error?.message).toContain('EGRESS_ALLOW_HOSTS');
    expect((await local('/api/accounts', { name, ...body }, inSecond)).status).toBe(201);
  });

  it('201 for a public account, as for anybody', async () => {
    const body = { name: 'public', provider: 'openai', apiKey: 'sk-1', allowPrivateUpstream: false };
    expect((await asThem('/api/accounts', body)).status).toBe(201);
  });

  it('403 for a channel inside, new or moved there; its other fields can be changed', async () => {
    const body = { name: 'ops', allowPrivate: true, target: target('10.0.0.8') };
    expect((await asThem('/api/alerts/channels', body)).status).toBe(403);
    const made = await local('/api/alerts/channels', body, inSecond);
    expect(made.status).toBe(201);
    const path = `/api/alerts/channels/${made.json.id}`;
    expect((await asThem(path, { target: target('10.0.0.9') }, 'PATCH')).status).toBe(403);
    expect((await asThem(path, { name: 'ops 2' }, 'PATCH')).json).toMatchObject({ name: 'ops 2' });
  });

  it('403 for an account that would sign in with OAuth', async () => {
    const account = { provider: 'anthropic', name: 'team', ...inside };
    const client = {
      clientId: 'c',
      authorizeUrl: 'https://a.example.com/',
      tokenUrl: 'https://a.example.com/',
    };
    const answer = await asThem('/api/oauth/sessions', { account, client, termsRead: true });
    expect([answer.status, answer.json.error?.code]).toEqual([403, 'permission_denied']);
  });
});
