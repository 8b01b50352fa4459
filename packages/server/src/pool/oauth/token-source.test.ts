import { eventually } from '@tallygate/testkit/eventually';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress } from '../../egress/egress.ts';
import { createEgressPolicy } from '../../egress/egress-policy.ts';
import { Secret } from '../../kernel/secret.ts';
import { withBearer } from '../../providers/shared/bearer.ts';
import type { OauthTokens, TokenStore } from './oauth-tokens.ts';
import { TokenSource, type TokenSourceDeps } from './token-source.ts';

const MINUTE = 60_000;
const policy = createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] });
const egress = createEgress({ connectTimeoutMs: 5_000, policy });

let provider: FakeOauth;
let clock: { ms: number; now(): number; monotonicMs(): number };
/** What the store holds: the tests stand in for a database that several processes share. */
let row: OauthTokens;
let held: boolean;
let failWrites: number;
let told: string[];

beforeEach(async () => {
  provider = await startFakeOauth();
  clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
  held = false;
  failWrites = 0;
  told = [];
  row = tokens();
});
afterEach(() => provider.stop());

function tokens(change: Partial<OauthTokens> = {}): OauthTokens {
  const { accessToken, refreshToken } = provider.issue();
  return {
    client: {
      authorizeUrl: null,
      tokenUrl: provider.tokenUrl,
      clientId: 'mine',
      scopes: [],
      redirectUri: null,
      tokenFormat: 'form',
      authorizeParams: {},
    },
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    clientSecret: null,
    obtainedAtMs: clock.ms,
    expiresAtMs: clock.ms + 60 * MINUTE,
    version: 1,
    reauthReason: null,
    ...change,
  };
}

const shared: TokenStore = {
  read: async () => row,
  async replace(_id, from, to) {
    if (failWrites > 0) {
      failWrites -= 1;
      throw new Error('the database is away');
    }
    if (row.version !== from.version) return false;
    row = { ...to, version: row.version + 1 };
    return true;
  },
};

/** One of the processes that share the store. */
function openSource(name = 'p1', change: Partial<TokenSourceDeps> = {}): TokenSource {
  const deps: TokenSourceDeps = {
    tokens: shared,
    turns: {
      async take() {
        if (held) return null;
        held = true;
        return {
          end: async () => {
            held = false;
          },
        };
      },
    },
    egress,
    clock,
    random: () => 0,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 5_000) / 50)),
    aheadMs: 5 * MINUTE,
    renewed: () => void told.push(`${name} renewed`),
    needsReauth: (_id, reason) => void told.push(`${name} needs reauth: ${reason}`),
    failed: () => void told.push(`${name} failed`),
    ...change,
  };
  return new TokenSource('a1', { tokens: row, use: { headers: withBearer, allowPrivate: true } }, deps);
}

const request = { method: 'POST', path: '/v1/messages', headers: [], body: null, origin: 'https://up' };
const tokenOf = (source: TokenSource): string => (source.authorize(request)[1] ?? '').replace('Bearer ', '');

describe('renewing tokens (CF-04, NX-03)', () => {
  it('is not due while the token is fresh, due ahead of its end, and a request waits only in its last minute', async () => {
    const source = openSource();
    expect([source.ready(clock.ms), source.due(clock.ms)]).toEqual([true, false]);
    clock.ms += 55 * MINUTE;
    expect([source.ready(clock.ms), source.due(clock.ms)]).toEqual([true, true]);
    clock.ms += 4 * MINUTE;
    expect(source.ready(clock.ms)).toBe(false);
    const old = tokenOf(source);
    await source.prepare();
    expect(tokenOf(source)).not.toBe(old);
    expect(provider.accepts(tokenOf(source))).toBe(true);
    expect(source.ready(clock.ms)).toBe(true);
    expect(row.accessToken.reveal()).toBe(tokenOf(source));
    expect(told).toEqual(['p1 renewed']);
  });

  it('starts earlier by chance, so that processes do not start together', () => {
    const source = openSource('p1', { random: () => 1 });
    clock.ms += 52.6 * MINUTE;
    expect(source.due(clock.ms)).toBe(true);
    expect(openSource('p2').due(clock.ms)).toBe(false);
  });

  it('refreshes once for 50 requests in each of two processes', async () => {
    provider.delayMs = 50;
    const [one, two] = [openSource('p1'), openSource('p2')];
    clock.ms += 60 * MINUTE;
    await Promise.all(Array.from({ length: 50 }, () => [one.prepare(), two.prepare()]).flat());
    expect(provider.calls).toHaveLength(1);
    expect(tokenOf(one)).toBe(tokenOf(two));
    expect(told.sort()).toEqual(['p1 renewed', 'p2 renewed']);
  });

  it('keeps the refresh token when the answer brings none', async () => {
    provider.rotates = false;
    const source = openSource();
    const before = row.refreshToken?.reveal();
    clock.ms += 60 * MINUTE;
    await source.prepare();
    expect(row.refreshToken?.reveal()).toBe(before);
  });

  it('does not renew tokens of unknown or short life over and over', async () => {
    provider.lifeSeconds = 30;
    const source = openSource();
    clock.ms += 60 * MINUTE;
    await source.prepare();
    expect([source.ready(clock.ms), source.due(clock.ms)]).toEqual([true, false]);
    clock.ms += 16_000;
    expect(source.due(clock.ms)).toBe(true);
    provider.lifeSeconds = null;
    await source.renew();
    clock.ms += 1000 * MINUTE;
    expect([source.ready(clock.ms), source.due(clock.ms)]).toEqual([true, false]);
  });

  it('stores new tokens before it uses them, and keeps trying: they are the only ones', async () => {
    const source = openSource();
    const old = tokenOf(source);
    failWrites = 6;
    clock.ms += 56 * MINUTE;
    await source.renew();
    expect([tokenOf(source), row.version, told]).toEqual([old, 1, ['p1 failed']]);
    expect(source.ready(clock.ms)).toBe(true); // the old one works for a while
    clock.ms += MINUTE / 2;
    expect(source.due(clock.ms)).toBe(true);
    await source.renew();
    expect(provider.calls).toHaveLength(1);
    expect(tokenOf(source)).toBe(row.accessToken.reveal());
    expect([tokenOf(source) === old, row.version]).toEqual([false, 2]);
  });

  it('wins over a process that found the old refresh token used up meanwhile', async () => {
    const [one, two] = [openSource('p1'), openSource('p2')];
    failWrites = 4;
    clock.ms += 56 * MINUTE;
    await one.renew();
    await two.renew();
    expect(row.reauthReason).toBe('invalid_grant');
    clock.ms += MINUTE / 2;
    await one.renew();
    expect(row.reauthReason).toBeNull();
    expect(provider.accepts(tokenOf(one))).toBe(true);
    two.adopt(row);
    expect([two.needsReauth, tokenOf(two)]).toEqual([false, tokenOf(one)]);
  });

  it('gives way to a sign-in that happened meanwhile', async () => {
    const source = openSource();
    failWrites = 4;
    clock.ms += 56 * MINUTE;
    await source.renew();
    row = tokens({ version: 2 });
    clock.ms += MINUTE / 2;
    await source.renew();
    expect(tokenOf(source)).toBe(row.accessToken.reveal());
    expect(row.version).toBe(2);
  });
});

describe('when nothing more can be had (CF-04)', () => {
  it.each(['invalid_grant', 'invalid_client', 'unauthorized_client'])(
    'needs a person after %s, tells it once, and asks no more',
    async (code) => {
      provider.failNext({ status: 400, body: JSON.stringify({ error: code }) });
      const [one, two] = [openSource('p1'), openSource('p2')];
      clock.ms += 60 * MINUTE;
      const refused = await Promise.allSettled([one.prepare(), two.prepare()]);
      expect(refused.map((result) => result.status === 'rejected' && result.reason.code)).toEqual([
        'account_needs_reauth',
        'account_needs_reauth',
      ]);
      expect(told.filter((line) => line.includes('needs reauth'))).toHaveLength(1);
      expect([one.due(clock.ms), two.due(clock.ms)]).toEqual([false, false]);
      await expect(one.prepare()).rejects.toThrow();
      expect(provider.calls).toHaveLength(1);
      expect(row.reauthReason).toBe(code);
    },
  );

  it.each([
    ['an error of the server', { status: 500, body: '{"error":"invalid_grant"}' }],
    ['a page', { status: 400, body: '<html>invalid_grant</html>' }],
    ['too many requests', { status: 429, body: '{"error":{"type":"rate_limit_error"}}' }],
    ['an answer without a token', { status: 200, body: '{"access_token":7}' }],
    ['a token that fits no header', { status: 200, body: '{"access_token":"a\\r\\nx: y"}' }],
  ])('waits and tries again after %s', async (_what, answer) => {
    const source = openSource();
    provider.failNext(answer);
    clock.ms += 59.5 * MINUTE;
    await source.prepare(); // the old token still works
    expect([source.needsReauth, source.ready(clock.ms), source.due(clock.ms)]).toEqual([false, true, false]);
    clock.ms += MINUTE; // over
    provider.failNext(answer);
    await expect(source.prepare()).rejects.toMatchObject({ code: 'oauth_token_unavailable' });
    await expect(source.prepare()).rejects.toMatchObject({ code: 'oauth_token_unavailable' });
    expect(provider.calls).toHaveLength(2); // the third would have come too soon
    clock.ms += MINUTE;
    await source.prepare();
    expect(provider.accepts(tokenOf(source))).toBe(true);
    expect(told.filter((line) => line === 'p1 failed')).toHaveLength(2);
  });

  it('uses a token without a refresh token to its end', async () => {
    row = tokens({ refreshToken: null });
    const source = openSource();
    clock.ms += 59.5 * MINUTE;
    await source.prepare();
    expect([source.ready(clock.ms), source.due(clock.ms)]).toEqual([true, false]);
    clock.ms += MINUTE;
    await expect(source.prepare()).rejects.toMatchObject({ code: 'account_needs_reauth' });
    expect(row.reauthReason).toBe('no_refresh_token');
    expect(provider.calls).toHaveLength(0);
  });

  it('gives up waiting for a process that does not come back', async () => {
    held = true;
    const source = openSource('p1', { clock: { ...clock, now: () => (clock.ms += 3_000) } });
    clock.ms += 60 * MINUTE;
    await expect(source.prepare()).rejects.toMatchObject({ code: 'oauth_token_unavailable' });
    expect(provider.calls).toHaveLength(0);
  });
});

describe('a token that the upstream refuses (CF-04)', () => {
  it('is renewed once, for everybody who was refused with it', async () => {
    const source = openSource();
    const version = source.version();
    expect([source.refused(version), source.refused(version)]).toEqual([true, true]);
    expect(source.ready(clock.ms)).toBe(false);
    await source.prepare();
    expect(provider.refreshes()).toBe(1);
    expect(source.refused(version)).toBe(true); // a late answer to the old token
    expect(source.ready(clock.ms)).toBe(true);
    expect(provider.refreshes()).toBe(1);
  });

  it('is given up when the new one is refused, too, but not for a late answer to the old one', async () => {
    const source = openSource();
    source.refused(1);
    await source.prepare();
    source.refusedAgain(1);
    expect(source.needsReauth).toBe(false);
    source.refusedAgain(2);
    await eventually('the account needs a person', () => source.needsReauth || null);
    expect(told).toContain('p1 needs reauth: token_refused');
    await expect(source.prepare()).rejects.toMatchObject({ code: 'account_needs_reauth' });
    expect(source.refused(3)).toBe(false);
  });

  it('comes back with the next sign-in', async () => {
    const source = openSource();
    source.refusedAgain(1);
    await eventually('the account needs a person', () => source.needsReauth || null);
    row = tokens({ version: 3 });
    source.adopt(row);
    expect([source.needsReauth, source.ready(clock.ms)]).toEqual([false, true]);
  });
});
