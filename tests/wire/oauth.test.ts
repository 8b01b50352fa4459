import { randomBytes } from 'node:crypto';
import type { AccountView } from '@tallygate/contract/api/accounts';
import type { ChannelView } from '@tallygate/contract/api/alerts';
import type { AuditEntryView } from '@tallygate/contract/api/audit';
import type { OauthSessionView } from '@tallygate/contract/api/oauth';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { anthropicApi, anthropicError } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, type Responder } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const target = await postgresTarget();
afterAll(() => target.cleanUp());

let provider: FakeOauth;
let upstream: FakeUpstream;
const upstreams: FakeUpstream[] = [];
/** How often the provider had renewed tokens, and been called, before this test. */
let before = { refreshes: 0, calls: 0 };
const refreshes = () => provider.refreshes() - before.refreshes;

/** Takes only tokens that the provider gave and has not taken back. */
const guarded: Responder = (exchange) => {
  const token = (exchange.request.value('authorization') ?? '').replace('Bearer ', '');
  if (provider.accepts(token)) return anthropicApi()(exchange);
  return jsonAnswer(anthropicError('authentication_error', 'no'), { status: 401 })(exchange);
};

beforeAll(async () => {
  provider = await startFakeOauth();
});
afterAll(() => provider?.stop());
beforeEach(async () => {
  provider.delayMs = 0;
  before = { refreshes: provider.refreshes(), calls: provider.calls.length };
  upstream = await startFakeUpstream(guarded);
  upstreams.push(upstream);
});
afterEach(async () => {
  for (const one of upstreams.splice(0)) await one.stop();
});

function startOne(config: Record<string, string> = {}, keys = [{}]): Promise<Gate> {
  const settings = {
    TALLYGATE_OAUTH_ACCOUNTS: 'true',
    TALLYGATE_OAUTH_AUTHORIZE_URL: provider.authorizeUrl,
    TALLYGATE_OAUTH_TOKEN_URL: provider.tokenUrl,
    TALLYGATE_OAUTH_CLIENT_ID: 'my-own-client',
    TALLYGATE_OAUTH_REDIRECT_URI: 'http://127.0.0.1:9/callback',
    ...config,
  };
  return startGate({ config: settings, keys });
}

async function signIn(gate: Gate, body: object): Promise<AccountView> {
  const begun = await gate.admin<OauthSessionView>('POST', '/api/oauth/sessions', {
    termsRead: true,
    ...body,
  });
  const back = await provider.agree(begun.authorizeUrl);
  const completed = { sessionId: begun.sessionId, code: back.href };
  return gate.admin<AccountView>('POST', '/api/oauth/complete', completed);
}

const account = (name: string, priority = 10, baseUrl = upstream.url) => ({
  account: {
    provider: 'anthropic',
    name,
    baseUrl,
    allowPrivateUpstream: true,
    priority,
  },
});

const send = (gate: Gate, key = gate.key, headers: readonly (readonly [string, string])[] = []) =>
  rawCall(
    gate.port,
    requestBytes({
      path: '/v1/messages?beta=true',
      headers: [
        ['content-type', 'application/json'],
        ['anthropic-version', '2023-06-01'],
        ['x-api-key', key],
        ...headers,
      ],
      body: JSON.stringify(MESSAGES_BODY),
    }),
  ).answer;

/** As if the processes had been stopped for longer than the tokens lived. */
async function endTokens(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query('update account_oauth set expires_at_ms = $1', [Date.now() - 1]);
  await client.end();
  expect(rowCount).toBe(1);
}

const accountsOf = async (gate: Gate) =>
  (await gate.admin<{ accounts: AccountView[] }>('GET', '/api/accounts')).accounts;
const burst = (gate: Gate, key: string) => Array.from({ length: 50 }, () => send(gate, key));

describe('an OAuth account', () => {
  // One server for all; a test has an upstream and accounts of its own, which are gone after it.
  let gate: Gate;
  beforeAll(async () => {
    gate = await startOne();
  });
  afterAll(() => gate?.stop());
  afterEach(async () => {
    for (const { id } of await accountsOf(gate)) await gate.admin('DELETE', `/api/accounts/${id}`);
  });

  it('sends its token and the beta beside those of the client, and nothing of the client’s own (NX-03)', async () => {
    const made = await signIn(gate, account('team'));
    expect(made).toMatchObject({ condition: 'ready', credentialHint: null, oauth: { reauthReason: null } });
    const answer = await send(gate, gate.key, [['anthropic-beta', 'a-1,b-2']]);
    expect(answer.status).toBe(200);
    const seen = upstream.requests[0];
    expect(seen?.target).toBe('/v1/messages?beta=true');
    expect(seen?.value('anthropic-beta')).toBe('a-1,b-2,oauth-2025-04-20');
    expect(provider.accepts((seen?.value('authorization') ?? '').replace('Bearer ', ''))).toBe(true);
    expect(seen?.values('x-api-key')).toEqual([]);
    expect(seen?.body().toString()).toBe(JSON.stringify(MESSAGES_BODY));
    expect(await gate.admin('POST', `/api/accounts/${made.id}/test`)).toMatchObject({ ok: true });
    await gate.addAccount({ provider: 'anthropic', baseUrl: upstream.url, name: 'key', priority: 1 });
    await send(gate, gate.key, [['anthropic-beta', 'a-1']]);
    const byKey = upstream.requests.find((request) => request.value('x-api-key') !== undefined);
    expect(byKey?.value('anthropic-beta')).toBe('a-1'); // no account of another kind gets the beta
    const spilt = gate.output() + JSON.stringify(await accountsOf(gate));
    expect(spilt).not.toMatch(/access-|refresh-/);
  });

  it('renews a refused token once and tries again; refused again it waits for a person, and another account serves (CF-04, CF-07)', async () => {
    const { id } = await signIn(gate, account('team'));
    await send(gate);
    const first = (upstream.requests[0]?.value('authorization') ?? '').replace('Bearer ', '');
    provider.revoke(first);
    const answer = await send(gate);
    expect([answer.status, answer.value('x-tallygate-account')]).toEqual([200, 'team']);
    expect(refreshes()).toBe(1);
    const row = await gate.row(answer.value('x-tallygate-request-id') ?? '');
    expect(row.attempts.map((attempt) => attempt.httpStatus)).toEqual([401, 200]);

    const spare = await startFakeUpstream(guarded);
    upstreams.push(spare);
    await signIn(gate, account('spare', 20, spare.url));
    upstream.respond(jsonAnswer(anthropicError('authentication_error', 'no'), { status: 401 }));
    upstream.clear();
    const moved = await send(gate);
    expect([moved.status, moved.value('x-tallygate-account')]).toEqual([200, 'spare']);
    await eventually('the account waits for a person', async () => {
      const found = (await accountsOf(gate)).find((one) => one.id === id);
      return found?.condition === 'needs_reauth' ? found : null;
    });
    expect(upstream.requests).toHaveLength(2);
    const entries = await eventually('the audit entry', async () => {
      const path = '/api/audit?action=account.needs_reauth';
      const { entries: all } = await gate.admin<{ entries: AuditEntryView[] }>('GET', path);
      const found = all.filter(({ resourceId }) => resourceId === id);
      return found.length > 0 ? found : null;
    });
    expect(entries).toMatchObject([{ resourceId: id, actor: { kind: 'system' } }]);
    expect(gate.output()).toContain('account has to sign in again');
    upstream.respond(guarded);
    expect((await send(gate)).value('x-tallygate-account')).toBe('spare');
    const again = await signIn(gate, { accountId: id });
    expect(again.condition).toBe('ready');
    expect((await send(gate)).value('x-tallygate-account')).toBe('team');
  });

  it('that waits for a person fires a rule; a webhook is told, and told again once somebody signed in (CF-04, TW-16)', async () => {
    const receiver = await startFakeReceiver();
    try {
      const { id } = await signIn(gate, account('team'));
      const channel = await gate.admin<ChannelView>('POST', '/api/alerts/channels', {
        name: 'ops',
        allowPrivate: true,
        target: { kind: 'webhook', url: receiver.url },
      });
      await gate.admin('POST', '/api/alerts/rules', {
        name: 'sign-ins',
        condition: { kind: 'account', conditions: ['needs_reauth'] },
        channelIds: [channel.id],
      });
      await send(gate);
      expect(receiver.calls).toEqual([]);
      provider.failNext({ status: 400, body: '{"error":"invalid_grant"}' });
      provider.revoke((upstream.requests[0]?.value('authorization') ?? '').replace('Bearer ', ''));
      expect((await send(gate)).status).toBe(503);
      // Rules are judged every half minute: what comes within these five seconds came because the account turned.
      const told = async (count: number) =>
        (await receiver.until(count, 5_000)).map(({ body }) => JSON.parse(body));
      const [fired] = await told(1);
      expect(fired).toMatchObject({
        type: 'alert.firing',
        data: { subject: `account:${id}`, title: 'Account team needs a new sign-in' },
      });
      await signIn(gate, { accountId: id });
      expect((await told(2))[1]).toMatchObject({
        type: 'alert.recovered',
        data: { subject: `account:${id}`, title: 'Account team serves again' },
      });
      expect(receiver.calls).toHaveLength(2);
    } finally {
      await receiver.stop();
    }
  });

  it('says what to do when it is the only one', async () => {
    await signIn(gate, account('team'));
    provider.failNext({ status: 400, body: '{"error":"invalid_grant"}' });
    await send(gate);
    provider.revoke((upstream.requests[0]?.value('authorization') ?? '').replace('Bearer ', ''));
    const answer = await send(gate);
    expect([answer.status, answer.json()]).toMatchObject([
      503,
      { type: 'error', error: { message: expect.stringContaining('sign in again') } },
    ]);
    expect(await gate.row(answer.value('x-tallygate-request-id') ?? '')).toBeDefined();
  });
});

describe.skipIf(target.skipped !== null)('two processes on one database', () => {
  const gates: Gate[] = [];
  afterEach(async () => {
    for (const gate of gates.splice(0)) await gate.stop();
  });
  const start = async (config: Record<string, string>, keys?: object[]): Promise<Gate> => {
    const gate = await startOne(config, keys);
    gates.push(gate);
    return gate;
  };
  const both = async () => {
    const url = await target.fresh();
    const shared = {
      TALLYGATE_DB_URL: url,
      TALLYGATE_MASTER_KEY: randomBytes(32).toString('base64'),
      TALLYGATE_LIMITS_PER_NODE: 'true',
    };
    const first = await start(shared);
    return { first, second: () => start(shared, []), url };
  };

  it('renew once when 50 requests in each meet the end of the token (CF-04)', async () => {
    const { first, second, url } = await both();
    await signIn(first, account('team'));
    const { key } = first;
    expect(await first.terminate()).toBe(0);
    await endTokens(url);
    provider.delayMs = 300;
    const [, other] = await Promise.all([first.restart(), second()]);
    const answers = await Promise.all([...burst(first, key), ...burst(other, key)]);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(refreshes()).toBe(1);
    expect(provider.calls.slice(before.calls).filter((call) => call.status !== 200)).toEqual([]);
  });

  it('renew once when 50 requests in each are refused (CF-04)', async () => {
    const { first, second } = await both();
    await signIn(first, account('team'));
    const other = await second();
    provider.delayMs = 300;
    await send(first);
    provider.revoke((upstream.requests[0]?.value('authorization') ?? '').replace('Bearer ', ''));
    const answers = await Promise.all([...burst(first, first.key), ...burst(other, first.key)]);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 200));
    expect(refreshes()).toBe(1);
  });
});
