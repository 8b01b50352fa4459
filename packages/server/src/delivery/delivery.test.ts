import { createHmac } from 'node:crypto';
import { createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { ChannelTarget } from '@tallygate/contract/api/alerts';
import { eventually } from '@tallygate/testkit/eventually';
import {
  type FakeMailOptions,
  type FakeMailServer,
  startFakeMailServer,
} from '@tallygate/testkit/fake-mail-server';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { PRIVATE_HOSTS } from '@tallygate/testkit/private-spellings';
import { selfSigned } from '@tallygate/testkit/self-signed';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress, type Egress } from '../egress/egress.ts';
import { createEgressPolicy } from '../egress/egress-policy.ts';
import type { ChannelAdapter, Notice, SendResult } from './channel-adapter.ts';
import { discordChannel } from './discord/adapter.ts';
import { emailChannel } from './email/adapter.ts';
import { pagerdutyChannel } from './pagerduty/adapter.ts';
import { httpPost } from './shared/http-post.ts';
import { slackChannel } from './slack/adapter.ts';
import { teamsChannel } from './teams/adapter.ts';
import { webhookChannel } from './webhook/adapter.ts';

const nowMs = Date.UTC(2026, 10, 25, 12);
const clock = { now: () => nowMs, monotonicMs: () => nowMs };
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(7);
const notice: Notice = {
  eventId: '01999999-0000-7000-8000-000000000001',
  state: 'firing',
  severity: 'critical',
  environment: 'production',
  ruleId: 'r1',
  ruleName: 'spend',
  subject: 'production',
  atMs: nowMs - 60_000,
  sinceMs: nowMs - 120_000,
  title: 'Spend reached $12 <!channel> @everyone',
  text: 'Line one & two\r\nBcc: evil@example.com',
  facts: [{ label: 'Limit', value: '$10' }],
  url: 'https://gate.example.com/budgets?budget=b&x=1',
};

let egress: Egress;
let receiver: FakeReceiver;
beforeEach(async () => {
  egress = createEgress({
    connectTimeoutMs: 5_000,
    policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
  });
  receiver = await startFakeReceiver();
});
afterEach(async () => {
  await egress.destroy();
  await receiver.stop();
});

function send(
  adapter: ChannelAdapter,
  target: ChannelTarget,
  options: { allowPrivate?: boolean; notice?: Notice } = {},
): Promise<SendResult> {
  const setup = adapter.configure(target, bytes);
  if (setup === null) throw new Error('not this kind');
  const { config, secret } = setup;
  const open = { config, secret, allowPrivate: options.allowPrivate ?? true };
  return adapter.send(options.notice ?? notice, open, { egress, clock });
}

describe('webhooks (TW-16)', () => {
  it('are signed as Standard Webhooks has it: id, time and body, by the key of the channel', async () => {
    const url = `${receiver.url}/in?x=1`;
    const setup = webhookChannel.configure({ kind: 'webhook', url }, bytes);
    const made = setup?.madeSecret?.reveal() ?? '';
    expect(made).toBe(`whsec_${Buffer.from(bytes(32)).toString('base64')}`);
    expect(await send(webhookChannel, { kind: 'webhook', url })).toMatchObject({ ok: true, status: 200 });
    const [call] = receiver.calls;
    expect(call?.path).toBe('/in?x=1');
    const headers = call?.headers ?? {};
    expect(headers).toMatchObject({
      'webhook-id': notice.eventId,
      'webhook-timestamp': String(nowMs / 1000),
      'content-type': 'application/json',
    });
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${call?.body}`;
    const expected = createHmac('sha256', Buffer.from(bytes(32)))
      .update(signed)
      .digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    expect(JSON.parse(call?.body ?? '')).toMatchObject({
      type: 'alert.firing',
      data: { eventId: notice.eventId, environment: 'production', facts: notice.facts },
    });
  });

  it('take the key that was given, and show none then', async () => {
    const signingSecret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
    const target = { kind: 'webhook' as const, url: receiver.url, signingSecret };
    expect(webhookChannel.configure(target, bytes)?.madeSecret).toBeNull();
    await send(webhookChannel, target);
    const [call] = await receiver.until(1);
    const { headers = {}, body = '' } = call ?? {};
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = createHmac('sha256', Buffer.alloc(24, 1)).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  it.each([204, 301, 400, 429, 500])('an answer of %i is said in words', async (status) => {
    receiver.answer = { status, headers: { 'retry-after': '120', location: 'http://127.0.0.1/' } };
    const result = await send(webhookChannel, { kind: 'webhook', url: receiver.url });
    expect(result).toMatchObject({ ok: status < 300, status, retryAfterMs: 120_000 });
    expect(receiver.calls).toHaveLength(1); // no redirect is followed
  });

  it('silence, nonsense and a closed door end within a bounded time and never reject', async () => {
    receiver.answer = 'hang';
    const post = { url: receiver.url, body: '{}', allowPrivate: true, deadlineMs: 50 };
    expect(await httpPost(post, { egress, clock })).toMatchObject({
      ok: false,
      status: null,
      message: 'The receiver did not answer in time.',
    });
    const nonsense = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.end('SSH-2.0-what\r\n\r\n');
    });
    await new Promise<void>((resolve) => nonsense.listen(0, '127.0.0.1', () => resolve()));
    const { port } = nonsense.address() as { port: number };
    expect((await httpPost({ ...post, url: `http://127.0.0.1:${port}` }, { egress, clock })).ok).toBe(false);
    await new Promise((resolve) => nonsense.close(resolve));
    expect(await httpPost({ ...post, url: `http://127.0.0.1:${port}` }, { egress, clock })).toMatchObject({
      ok: false,
      message: 'The receiver could not be reached (ECONNREFUSED).',
    });
  });
});

it('a delivery that was given up is not made after all once the connection is there', async () => {
  const connect: (() => void)[] = [];
  const slow = createEgress({
    connectTimeoutMs: 5_000,
    policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
    resolve: (_host, _options, done) => {
      connect.push(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
    },
  });
  const url = `http://hooks.example:${new URL(receiver.url).port}/`;
  const post = { url, body: '1', allowPrivate: true };
  const tools = { egress: slow, clock };
  expect(await httpPost({ ...post, deadlineMs: 30 }, tools)).toMatchObject({ ok: false, status: null });
  const again = httpPost({ ...post, body: '2' }, tools);
  await eventually('both wait for their address', () => connect.length === 2);
  for (const go of connect) go();
  expect(await again).toMatchObject({ ok: true });
  expect(receiver.calls.map(({ body }) => body)).toEqual(['2']);
  await slow.destroy();
});

describe('where nothing may go (TW-17)', () => {
  it.each(PRIVATE_HOSTS)('a webhook to %s is blocked at the connection', async (host) => {
    const url = `http://${host}:${new URL(receiver.url).port}/`;
    const result = await send(webhookChannel, { kind: 'webhook', url }, { allowPrivate: false });
    expect(result).toMatchObject({ ok: false, status: null });
    expect(receiver.calls).toEqual([]);
  });

  it.each(PRIVATE_HOSTS)('a mail server at %s is blocked before a byte is sent', async (host) => {
    const mail = await startFakeMailServer();
    const target = { kind: 'email' as const, host, port: mail.port, security: 'none' as const };
    const to = { from: 'a@example.com', to: ['b@example.com'] };
    const result = await send(emailChannel, { ...target, ...to }, { allowPrivate: false });
    expect([result.ok, mail.mails]).toEqual([false, []]);
    await mail.stop();
  });

  it('a name that resolves to this machine is blocked, and one that is rebound gains nothing', async () => {
    let asked = 0;
    const rebinding = createEgress({
      connectTimeoutMs: 5_000,
      policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
      resolve: (_host, _options, callback) => {
        asked += 1;
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    const port = Number(new URL(receiver.url).port);
    const blocked = { code: 'egress_blocked' };
    await expect(
      rebinding.connect({ hostname: 'mail.example.com', port, allowPrivate: false }),
    ).rejects.toMatchObject(blocked);
    const socket = await rebinding.connect({ hostname: 'mail.example.com', port, allowPrivate: true });
    expect([asked, socket.remoteAddress]).toEqual([2, '127.0.0.1']);
    socket.destroy();
    await rebinding.destroy();
  });
});

describe('chats (TW-16)', () => {
  it.each([
    ['slack', slackChannel],
    ['discord', discordChannel],
    ['teams', teamsChannel],
  ] as const)('%s gets its own JSON at its secret URL', async (kind, adapter) => {
    const url = `${receiver.url}/services/T0/B0/secret-token`;
    const setup = adapter.configure({ kind, url }, bytes);
    expect(JSON.stringify([setup?.config, setup?.destination])).not.toContain('secret-token');
    expect((await send(adapter, { kind, url })).ok).toBe(true);
    const body = receiver.calls[0]?.body ?? '';
    expect(receiver.calls[0]?.path).toBe('/services/T0/B0/secret-token');
    expect(body).toContain('Critical: Spend reached $12');
    expect(body).toContain(notice.eventId);
    expect(JSON.parse(adapter.render(notice).body)).toEqual(JSON.parse(body));
  });

  it('a link is a button, a card or a line of each kind, and nothing where there is none', () => {
    const { url } = notice;
    const bodies = (one: Notice) => ({
      webhook: JSON.parse(webhookChannel.render(one).body).data.url,
      slack: JSON.parse(slackChannel.render(one).body).blocks.at(-2).elements?.[0].url ?? null,
      discord: JSON.parse(discordChannel.render(one).body).embeds[0].url ?? null,
      teams: JSON.parse(teamsChannel.render(one).body).attachments[0].content.actions?.[0].url ?? null,
      email: /^https:.*$/m.exec(emailChannel.render(one).body)?.[0] ?? null,
      pagerduty: JSON.parse(pagerdutyChannel.render(one).body).links?.[0].href ?? null,
    });
    expect(bodies(notice)).toEqual(
      Object.fromEntries(['webhook', 'slack', 'discord', 'teams', 'email', 'pagerduty'].map((k) => [k, url])),
    );
    expect(Object.values(bodies({ ...notice, url: null }))).toEqual(Array(6).fill(null));
  });

  it('nobody is mentioned, whatever a name says', () => {
    expect(slackChannel.render(notice).body).not.toContain('"mrkdwn",\n        "text": "Spend');
    const slack = JSON.parse(slackChannel.render({ ...notice, text: '<!channel> <@U1>' }).body);
    expect(slack.blocks[1].text.text).toBe('&lt;!channel&gt; &lt;@U1&gt;');
    expect(slack.text).toContain('&lt;!channel&gt;');
    expect(JSON.parse(discordChannel.render(notice).body).allowed_mentions).toEqual({ parse: [] });
  });

  it('no name dresses an address up as a link, where the receiver reads Markdown', () => {
    const link = '[reset your password](https://evil.example)';
    const text = `model ${link} was used`;
    const hostile = { ...notice, title: link, text, facts: [{ label: link, value: link }] };
    for (const adapter of [discordChannel, teamsChannel]) {
      const body = JSON.parse(adapter.render(hostile).body) as unknown;
      const texts: string[] = [];
      JSON.stringify(body, (_key, value: unknown) => {
        if (typeof value === 'string') texts.push(value);
        return value;
      });
      const withLink = texts.filter((value) => value.includes('evil.example'));
      expect(withLink.length).toBeGreaterThanOrEqual(4);
      for (const value of withLink) expect(value).not.toMatch(/(?<!\\)\[/);
    }
    expect(slackChannel.render({ ...notice, text: '<https://evil.example|reset>' }).body).not.toContain(
      '<https',
    );
  });

  it('long texts are cut to what the receivers take', () => {
    const long = { ...notice, title: '😀'.repeat(3_000), text: 'x'.repeat(50_000) };
    const slack = JSON.parse(slackChannel.render(long).body);
    expect(slack.blocks[0].text.text.length).toBeLessThanOrEqual(150);
    expect(slack.blocks[1].text.text.length).toBeLessThanOrEqual(3_000);
    const [embed] = JSON.parse(discordChannel.render(long).body).embeds;
    expect(embed.title.length).toBeLessThanOrEqual(256);
    expect(embed.title.isWellFormed()).toBe(true);
    expect(embed.description.length).toBeLessThanOrEqual(4_096);
  });
});

describe('incidents (TW-16)', () => {
  it('an edge triggers and its recovery resolves the same incident', async () => {
    const target = {
      kind: 'pagerduty' as const,
      routingKey: 'R'.repeat(32),
      url: `${receiver.url}/v2/enqueue`,
    };
    await send(pagerdutyChannel, target);
    await send(pagerdutyChannel, target, { notice: { ...notice, state: 'recovered', eventId: 'other' } });
    const [first, second] = receiver.calls.map(({ body }) => JSON.parse(body));
    expect(first).toMatchObject({
      routing_key: 'R'.repeat(32),
      event_action: 'trigger',
      dedup_key: 'r1/production',
      payload: { severity: 'critical', summary: notice.title },
    });
    expect(second).toMatchObject({ event_action: 'resolve', dedup_key: 'r1/production' });
    const closed = pagerdutyChannel.render({ ...notice, state: 'closed' }).body;
    expect(JSON.parse(closed)).toMatchObject({ event_action: 'resolve', dedup_key: 'r1/production' });
    expect(pagerdutyChannel.render(notice).body).not.toContain('RRRR');
  });
});

describe('e-mail (TW-16)', () => {
  const standard = getCACertificates('default');
  const mails: FakeMailServer[] = [];
  afterEach(async () => {
    setDefaultCACertificates(standard);
    for (const mail of mails.splice(0)) await mail.stop();
  });
  async function mailServer(options: FakeMailOptions = {}): Promise<FakeMailServer> {
    const mail = await startFakeMailServer(options);
    mails.push(mail);
    return mail;
  }
  const mailbox = { from: 'gate@example.com', to: ['ops@example.com', 'b@example.com'] };
  type Security = 'tls' | 'starttls' | 'none';
  const to = (mail: FakeMailServer, security: Security, login = {}) =>
    send(emailChannel, {
      kind: 'email',
      host: 'localhost',
      port: mail.port,
      security,
      ...mailbox,
      ...login,
    });

  it('reaches every mailbox; the subject is one line and nothing is smuggled into the headers', async () => {
    const mail = await mailServer();
    expect(await to(mail, 'none')).toMatchObject({ ok: true, status: 250 });
    const [received] = mail.mails;
    expect(received).toMatchObject({ from: mailbox.from, to: mailbox.to, secure: false });
    const [head = '', ...rest] = (received?.message ?? '').split('\r\n\r\n');
    expect(head).toContain('Subject: [Critical] Spend reached $12');
    expect(head).not.toMatch(/^Bcc:/m);
    expect(head).toContain(`Message-ID: <${notice.eventId}@example.com>`);
    expect(rest.join('\n')).toContain('Limit: $10');
  });

  it.each([
    ['tls', true],
    ['starttls', false],
  ] as const)('%s: encrypted, and only with a certificate that is trusted', async (security, implicit) => {
    const certificate = selfSigned();
    const login = { user: 'gate', password: 'pass word' };
    const mail = await mailServer({ certificate, implicit, login });
    const credentials = { username: 'gate', password: 'pass word' };
    expect((await to(mail, security, credentials)).ok).toBe(false);
    expect(mail.mails).toEqual([]);
    setDefaultCACertificates([...standard, certificate.cert]);
    expect(await to(mail, security, credentials)).toMatchObject({ ok: true });
    expect(mail.mails).toMatchObject([{ secure: true, user: 'gate' }]);
    const wrong = await to(mail, security, { username: 'gate', password: 'secret-guess' });
    expect(wrong).toMatchObject({ ok: false, message: 'The mail server refused the user name or password.' });
  });

  it('starttls never falls back to plain text', async () => {
    const mail = await mailServer();
    expect((await to(mail, 'starttls')).ok).toBe(false);
    expect(mail.mails).toEqual([]);
  });

  it('a refusal is a code, without what the server said', async () => {
    const mail = await mailServer();
    mail.refusal = 452;
    expect(await to(mail, 'none')).toMatchObject({
      ok: false,
      status: 452,
      message: 'The mail server answered 452.',
    });
  });
});
