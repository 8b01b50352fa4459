import { createHash } from 'node:crypto';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOauthRow } from './oauth-rows.ts';

let world: AdminWorld;
let provider: FakeOauth;

beforeEach(async () => {
  provider = await startFakeOauth();
  world = await startAdminWorld(await openTestStore());
});
afterEach(async () => {
  await world.close();
  await provider.stop();
});

const REDIRECT = 'https://gate.example.com/oauth/callback';
const client = (change: object = {}) => ({
  authorizeUrl: `${provider.authorizeUrl}?audience=api`,
  tokenUrl: provider.tokenUrl,
  clientId: 'my-own-client',
  redirectUri: REDIRECT,
  scopes: ['user:inference'],
  ...change,
});
const account = { provider: 'anthropic', name: 'team', allowPrivateUpstream: true };
const begin = (body: object = {}) =>
  world.call('/api/oauth/sessions', {
    local: true,
    body: { account, client: client(), termsRead: true, ...body },
  });
const complete = (body: object) => world.call('/api/oauth/complete', { local: true, body });
const stored = async () => (await world.deps.store.oauth.listAccountOauth())[0];

async function signIn(body: object = {}) {
  const begun = (await begin(body)).json;
  const back = await provider.agree(String(begun.authorizeUrl));
  const [code, state] = ['code', 'state'].map((name) => back.searchParams.get(name) ?? '');
  return { sessionId: String(begun.sessionId), back, code: code ?? '', state: state ?? '', begun };
}

describe('coming back to the gate itself (CF-03)', () => {
  const pageOf = async (path: string) => {
    const answer = await world.call(path);
    const to = new URL(String(answer.headers.location), 'http://gate');
    return { answer, to, fields: Object.fromEntries(new URLSearchParams(to.hash.slice(1))) };
  };
  const loopback = () => ({ client: client({ redirectUri: `${world.url}/api/oauth/callback` }) });

  it('the browser goes on to the page that completes, with code and state behind #', async () => {
    const { sessionId, back, state } = await signIn(loopback());
    const { answer, to, fields } = await pageOf(`${back.pathname}${back.search}`);
    expect([answer.status, to.pathname, to.search]).toEqual([303, '/accounts/signed-in', '']);
    expect(fields).toEqual({ session: sessionId, state, code: back.searchParams.get('code') });
    expect([answer.headers['cache-control'], answer.headers['set-cookie']]).toEqual(['no-store', undefined]);
    expect(await stored()).toBeUndefined(); // nobody has shown yet that they began it
    const { session, code = '' } = fields;
    expect((await complete({ sessionId: session, code, state })).status).toBe(200);
    const again = await complete({ sessionId: session, code, state });
    expect(again.json.error?.code).toBe('oauth_session_invalid');
    expect(JSON.stringify(world.logs)).not.toContain(code);
  });

  it('two sign-ins at once have states of their own, and neither completes the other', async () => {
    const [first, second] = [await signIn(loopback()), await signIn(loopback())];
    expect(first.state).not.toBe(second.state);
    const crossed = await complete({ sessionId: first.sessionId, code: second.code, state: second.state });
    expect(crossed.json.error?.code).toBe('oauth_session_invalid');
    expect(provider.calls).toHaveLength(0);
  });

  it.each([
    ['error=access_denied&error_description=%3Cb%3E', 'access_denied'],
    ['error=%3Cscript%3E', 'refused'],
    ['code=a', 'incomplete'],
    ['state=a.b', 'incomplete'],
    ['code=a&state=x', 'incomplete'],
    ['code=a&code=b&state=x', 'incomplete'],
    ['', 'incomplete'],
  ])('says what is wrong with ?%s and no more', async (query, problem) => {
    const { answer, fields } = await pageOf(`/api/oauth/callback?${query}`);
    expect([answer.status, fields]).toEqual([303, { problem }]);
  });
});

describe('signing in with OAuth (CF-03)', () => {
  it('sends PKCE S256 and a state that says nothing about the verifier, and stores the tokens sealed', async () => {
    const { sessionId, code, state, begun } = await signIn();
    const url = new URL(String(begun.authorizeUrl));
    const sent = Object.fromEntries(url.searchParams);
    expect(sent).toMatchObject({
      audience: 'api',
      response_type: 'code',
      client_id: 'my-own-client',
      redirect_uri: REDIRECT,
      scope: 'user:inference',
      code_challenge_method: 'S256',
    });
    const done = await complete({ sessionId, code: `${code}#${state}` });
    expect(done.status).toBe(200);
    expect(done.json).toMatchObject({ name: 'team', provider: 'anthropic', credentialHint: null });
    const call = provider.calls[0];
    expect(call?.contentType).toBe('application/x-www-form-urlencoded');
    const verifier = call?.fields.code_verifier ?? '';
    expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(sent.code_challenge);
    expect(state).not.toBe(verifier);
    const row = await stored();
    const tokens = row && openOauthRow(row, world.deps.vault);
    expect(provider.accepts(tokens?.accessToken.reveal() ?? '')).toBe(true);
    expect(tokens?.expiresAtMs).toBe(world.clock.ms + 3_600_000);
    for (const secret of [tokens?.accessToken, tokens?.refreshToken])
      expect(JSON.stringify(row)).not.toContain(secret?.reveal());
    expect(world.refreshes()).toBe(1);
  });

  it('takes the whole address that the provider led to, and JSON where the endpoint wants it', async () => {
    const { sessionId, back } = await signIn({ client: client({ tokenFormat: 'json' }) });
    expect((await complete({ sessionId, code: back.href })).status).toBe(200);
    expect(provider.calls[0]).toMatchObject({
      contentType: 'application/json',
      fields: { state: back.searchParams.get('state'), client_id: 'my-own-client' },
    });
  });

  it('works once: neither the session nor its account come a second time', async () => {
    const { sessionId, code, state } = await signIn();
    const both = await Promise.all([1, 2].map(() => complete({ sessionId, code, state })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    const again = await complete({ sessionId, code, state });
    expect(again.json.error?.code).toBe('oauth_session_invalid');
    expect(await world.deps.store.config.listAccounts(null)).toHaveLength(1);
    expect(provider.calls).toHaveLength(1);
  });

  it.each(['wrong', '', 'x'.repeat(43)])(
    'refuses the state %j, and the session is used up',
    async (state) => {
      const { sessionId, code, state: right } = await signIn();
      const answer = await complete({ sessionId, code: `${code}#${state}` });
      expect([answer.status, answer.json.error?.code]).toEqual([400, 'oauth_session_invalid']);
      expect((await complete({ sessionId, code, state: right })).status).toBe(400);
      expect(provider.calls).toHaveLength(0);
      expect(await stored()).toBeUndefined();
    },
  );

  it('refuses a code without a state before it touches the session', async () => {
    const { sessionId, code, state } = await signIn();
    const answer = await complete({ sessionId, code });
    expect([answer.status, answer.json.error?.code]).toEqual([400, 'invalid_request']);
    expect((await complete({ sessionId, code, state })).status).toBe(200);
  });

  it('ends after ten minutes, and belongs to whoever began it', async () => {
    const late = await signIn();
    world.clock.ms += 10 * 60_000;
    expect((await complete(late)).json.error?.code).not.toBe(undefined);
    const { sessionId, code, state } = await signIn();
    const owner = await world.setUp();
    const stolen = await world.call('/api/oauth/complete', {
      method: 'POST',
      headers: owner.headers,
      body: { sessionId, code, state },
    });
    expect([stolen.status, stolen.json.error?.code]).toEqual([400, 'oauth_session_invalid']);
    expect(await stored()).toBeUndefined();
  });

  it('says what the endpoint answered, without its words, and keeps nothing', async () => {
    const { sessionId, code, state } = await signIn();
    provider.failNext({ status: 400, body: '{"error":"invalid_grant","error_description":"<b>secret</b>"}' });
    const answer = await complete({ sessionId, code, state });
    expect([answer.status, answer.json.error?.code]).toEqual([502, 'oauth_failed']);
    expect(answer.json.error?.message).toContain('invalid_grant');
    expect(answer.text).not.toContain('secret');
    expect(await world.deps.store.config.listAccounts(null)).toEqual([]);
  });

  it('signs an account in again: same account, new tokens, the client it had', async () => {
    const first = await signIn();
    const { id } = (await complete({ sessionId: first.sessionId, code: first.code, state: first.state }))
      .json;
    const before = await stored();
    const again = await signIn({ account: undefined, accountId: id, client: undefined });
    const done = await complete({ sessionId: again.sessionId, code: again.code, state: again.state });
    expect([done.status, done.json.id]).toEqual([200, id]);
    const after = await stored();
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    expect(after?.sealedSecrets).not.toBe(before?.sealedSecrets);
    expect(await world.deps.store.config.listAccounts(null)).toHaveLength(1);
  });

  it('keeps the client secret when an account signs in again, and sends it to no other client or address', async () => {
    const first = await signIn({ client: client({ clientSecret: 'a-client-secret-4711' }) });
    const { id } = (await complete({ sessionId: first.sessionId, code: first.code, state: first.state }))
      .json;
    const secretSent = async (change: object | undefined) => {
      const again = await signIn({ account: undefined, accountId: id, client: change });
      await complete({ sessionId: again.sessionId, code: again.code, state: again.state });
      return provider.calls.at(-1)?.fields.client_secret;
    };
    expect(provider.calls.at(-1)?.fields.client_secret).toBe('a-client-secret-4711');
    expect(await secretSent(undefined)).toBe('a-client-secret-4711');
    expect(await secretSent({ clientSecret: 'the-next-secret-4712' })).toBe('the-next-secret-4712');
    expect(await secretSent({ tokenUrl: `${provider.tokenUrl}?other` })).toBeUndefined();
    expect(await secretSent({ clientSecret: 'a-third-secret-4713' })).toBe('a-third-secret-4713');
    expect(await secretSent({ clientId: 'another-client' })).toBeUndefined();
  });

  it('takes an account of another workspace back to its own address, and to no other one inside (TW-17)', async () => {
    const local = { local: true, headers: { 'x-tallygate-workspace': 'second' } };
    await world.call('/api/workspaces', { local: true, body: { slug: 'second' } });
    const key = await world.call('/api/keys', { ...local, body: { name: 'all', scopes: ['admin'] } });
    const body = { account, client: client(), termsRead: true };
    const begun = (await world.call('/api/oauth/sessions', { ...local, body })).json;
    const back = (await provider.agree(String(begun.authorizeUrl))).searchParams;
    const came = { sessionId: begun.sessionId, code: back.get('code'), state: back.get('state') };
    const { id } = (await world.call('/api/oauth/complete', { ...local, body: came })).json;
    const theirs = async (change: object | undefined) => {
      const again = { accountId: id, client: change, termsRead: true };
      const headers = { 'x-api-key': String(key.json.key) };
      return (await world.call('/api/oauth/sessions', { headers, body: again })).status;
    };
    expect(await theirs({ tokenUrl: 'http://10.0.0.8/token' })).toBe(403);
    expect(await theirs(undefined)).toBe(201);
  });

  it('is refused while OAuth accounts are off', async () => {
    world.deps.oauth.defaults.enabled = false;
    const answer = await begin();
    expect([answer.status, answer.json.error?.code]).toEqual([403, 'oauth_disabled']);
    expect((await world.call('/api/oauth/settings', { local: true })).json).toMatchObject({
      enabled: false,
      defaults: { authorizeUrl: null, redirectUri: null, scopes: [] },
    });
  });

  it.each([
    ['termsRead', { termsRead: undefined }],
    ['termsRead', { termsRead: false }],
    ['account', { account: undefined }],
    ['account', { accountId: 'x' }],
    ['client.redirectUri', { client: { tokenUrl: 'https://x.example/t' } }],
    [
      'client.clientId',
      {
        client: {
          redirectUri: 'https://x.example/t',
          authorizeUrl: 'https://x.example/a',
          tokenUrl: 'https://x.example/t',
        },
      },
    ],
  ])('400 naming %s for %j', async (field, part) => {
    const answer = await begin(part);
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, field]);
  });

  it.each([
    ['tokenUrl', 'http://169.254.169.254/token', true],
    ['tokenUrl', 'https://10.0.0.1/token', false],
    ['tokenUrl', 'http://idp.example.com/token', false],
    ['tokenUrl', 'https://u:p@idp.example.com/token', false],
    ['authorizeUrl', 'http://idp.example.com/authorize', false],
    ['authorizeUrl', 'javascript:alert(1)', false],
    ['redirectUri', 'http://gate.example.com/cb', false],
    ['redirectUri', 'https://gate.example.com/cb#x', false],
  ])('400 naming client.%s for %s (TW-17)', async (field, url, allowPrivateUpstream) => {
    const urls = allowPrivateUpstream ? {} : { tokenUrl: 'https://idp.example.com/token' };
    const answer = await begin({
      account: { ...account, allowPrivateUpstream },
      client: client({ ...urls, [field]: url }),
    });
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, `client.${field}`]);
  });

  it('needs the permission, and bounds how many sign-ins are under way', async () => {
    const { key } = await world.makeKey(['gateway']);
    const body = { account, client: client(), termsRead: true };
    const headers = { 'x-api-key': key };
    expect((await world.call('/api/oauth/sessions', { method: 'POST', headers, body })).status).toBe(403);
    const insert = (id: number) =>
      world.deps.store.oauth.insertOauthSession({
        id: `s${id}`,
        sealedPayload: 'x',
        createdAtMs: world.clock.ms,
        expiresAtMs: world.clock.ms + 1,
      });
    for (let i = 0; i < 100; i++) await insert(i);
    expect((await begin()).json.error?.code).toBe('rate_limited');
    world.clock.ms += 1;
    expect((await begin()).status).toBe(201);
  });

  it('refuses an API key for an account that signs in', async () => {
    const { sessionId, code, state } = await signIn();
    const { id } = (await complete({ sessionId, code, state })).json;
    world.deps.oauth.status = () => ({ expiresAtMs: null, reauthReason: null });
    const answer = await world.call(`/api/accounts/${id}`, {
      local: true,
      method: 'PATCH',
      body: { apiKey: 'sk-something-else-entirely' },
    });
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'apiKey']);
  });
});
