import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
let receiver: FakeReceiver;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  receiver = await startFakeReceiver();
});
afterEach(async () => {
  await world.close();
  await receiver.stop();
});

const ask = (method: string, path: string, body?: unknown) =>
  world.call(`/api/alerts/${path}`, { local: true, method, body });
const spendRule = (change: object = {}) => ({
  name: 'spend',
  condition: { kind: 'usage', metric: 'spend', window: 'day', thresholdUsd: '1' },
  ...change,
});
const webhook = (change: object = {}) => ({
  name: 'ops',
  allowPrivate: true,
  target: { kind: 'webhook', url: `${receiver.url}/secret-path` },
  ...change,
});
const pathOf = ({ json }: Awaited<ReturnType<typeof ask>>) => json.error?.details?.[0]?.path;

describe('rules (TW-16)', () => {
  it('POST 201 with defaults, GET 200 with a sentence, PATCH 200, DELETE 200', async () => {
    const made = await ask('POST', 'rules', spendRule());
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      environment: null,
      severity: 'warning',
      cooldownMinutes: 60,
      notifyRecovery: true,
      enabled: true,
      firing: [],
      sentence: 'Spend reaches $1.00 today, in any environment by itself.',
    });
    const id = String(made.json.id);
    const changed = await ask('PATCH', `rules/${id}`, { cooldownMinutes: 5, environment: 'staging' });
    expect(changed.json).toMatchObject({ cooldownMinutes: 5, environment: 'staging', name: 'spend' });
    expect(((await ask('GET', 'rules')).json.rules as unknown[])[0]).toMatchObject(changed.json);
    expect((await ask('DELETE', `rules/${id}`)).status).toBe(200);
    expect((await ask('DELETE', `rules/${id}`)).status).toBe(404);
    expect((await ask('PATCH', `rules/${id}`, {})).status).toBe(404);
  });

  it('a filter names projects by slug, and keeps them by id', async () => {
    const { json } = await world.call('/api/projects', { local: true, body: { slug: 'web' } });
    const made = await ask('POST', 'rules', spendRule({ filter: { projects: ['web'], models: ['m'] } }));
    expect(made.json.filter).toEqual({ projects: [json.id], models: ['m'] });
  });

  it('a filter names users by name, and keeps them by id', async () => {
    await world.setUp();
    const [user] = await world.deps.store.people.listMembers(world.deps.firstWorkspaceId);
    const made = await ask('POST', 'rules', spendRule({ filter: { users: [user?.username] } }));
    expect(made.json.filter).toEqual({ users: [user?.id] });
  });

  it.each([
    ['filter.users', spendRule({ filter: { users: ['nobody'] } })],
    ['condition.thresholdUsd', spendRule({ condition: { kind: 'usage', metric: 'spend', window: 'day' } })],
    ['filter.projects', spendRule({ filter: { projects: ['nope'] } })],
    ['filter.keys', spendRule({ filter: { keys: ['nope'] } })],
    ['filter.accounts', spendRule({ filter: { accounts: ['nope'] } })],
    ['channelIds', spendRule({ channelIds: ['nope'] })],
    ['condition.budget', spendRule({ condition: { kind: 'budget', budget: 'nope' } })],
    ['environment', spendRule({ condition: { kind: 'security' }, environment: 'test' })],
    ['filter', spendRule({ condition: { kind: 'account' }, filter: { models: ['m'] } })],
    ['condition.percents.0', spendRule({ condition: { kind: 'budget', percents: [0] } })],
    ['cooldownMinutes', spendRule({ cooldownMinutes: -1 })],
    [
      'condition.timeZone',
      spendRule({
        condition: { kind: 'usage', metric: 'tokens', threshold: 1, window: 'day', timeZone: 'Mars/Base' },
      }),
    ],
  ])('POST 400 naming %s', async (path, body) => {
    const answer = await ask('POST', 'rules', body);
    expect([answer.status, pathOf(answer)]).toEqual([400, path]);
  });

  it('PATCH 400 when a part no longer fits the others', async () => {
    const { json } = await ask('POST', 'rules', spendRule({ environment: 'staging' }));
    const answer = await ask('PATCH', `rules/${json.id}`, { condition: { kind: 'security' } });
    expect([answer.status, pathOf(answer)]).toEqual([400, 'environment']);
  });
});

describe('channels (TW-16, TW-17)', () => {
  it('POST 201 shows the signing key once, and what is secret never', async () => {
    const made = await ask('POST', 'channels', webhook());
    expect(made.status).toBe(201);
    expect(made.json.signingSecret).toMatch(/^whsec_/);
    const list = await ask('GET', 'channels');
    expect(list.text).not.toContain('secret-path');
    expect(list.text).not.toContain('whsec_');
    expect(list.json.channels).toMatchObject([{ kind: 'webhook', destination: new URL(receiver.url).host }]);
    const [row] = await world.deps.store.alerts.listAlertChannels(null);
    expect(JSON.stringify(row)).not.toContain('secret-path');
    const audit = await world.deps.store.audit.list({ workspaceId: null }, { limit: 50, beforeSeq: null });
    expect(JSON.stringify(audit)).not.toContain('secret-path');
    expect(JSON.stringify(audit)).toContain('alert_channel');
    expect((await ask('POST', 'channels', webhook())).status).toBe(409);
  });

  it('test says what came of it, signed, in the words of the template', async () => {
    const template = { title: 'T: {{title}}', text: null };
    const { json } = await ask('POST', 'channels', webhook({ template }));
    const test = await ask('POST', `channels/${json.id}/test`);
    expect(test.json).toMatchObject({ ok: true, status: 200 });
    expect(JSON.parse(receiver.calls[0]?.body ?? '')).toMatchObject({
      type: 'alert.test',
      data: { title: 'T: This is a test' },
    });
    receiver.answer = { status: 500 };
    expect((await ask('POST', `channels/${json.id}/test`)).json).toMatchObject({ ok: false, status: 500 });
    expect((await ask('POST', 'channels/nope/test')).status).toBe(404);
  });

  it.each([
    ['target.url', { target: { kind: 'slack', url: 'http://127.0.0.1/' }, allowPrivate: false }],
    ['target.url', { target: { kind: 'slack', url: 'http://2130706433/' }, allowPrivate: false }],
    ['target.url', { target: { kind: 'slack', url: 'http://hooks.example.com/' }, allowPrivate: false }],
    ['target.url', { target: { kind: 'slack', url: 'https://169.254.169.254/' } }],
    ['target.url', { target: { kind: 'slack', url: 'https://u:p@hooks.example.com/' } }],
    ['target.url', { target: { kind: 'slack', url: 'file:///etc/passwd' } }],
    ['target.kind', { target: { kind: 'pigeon', url: 'https://x.example' } }],
    ['template', { template: { title: '{{titel}}', text: null } }],
  ])('POST 400 naming %s for %j', async (path, change) => {
    const answer = await ask('POST', 'channels', webhook(change));
    expect([answer.status, pathOf(answer)]).toEqual([400, path]);
    expect(await world.deps.store.alerts.listAlertChannels(null)).toEqual([]);
  });

  it.each([
    ['target.host', { host: 'localhost' }],
    ['target.host', { host: '10.0.0.9' }],
    ['target.security', { host: 'mail.example.com', security: 'none' }],
    ['target.to', { host: 'mail.example.com', to: [] }],
  ])('POST 400 naming %s for mail to %j', async (path, change) => {
    const mail = {
      kind: 'email',
      port: 25,
      security: 'starttls',
      from: 'a@example.com',
      to: ['b@example.com'],
    };
    const answer = await ask('POST', 'channels', { name: 'mail', target: { ...mail, ...change } });
    expect([answer.status, pathOf(answer)]).toEqual([400, path]);
  });

  it('PATCH replaces a target of the same kind only, and judges it under the permission it has', async () => {
    const { json } = await ask('POST', 'channels', webhook());
    const patch = (body: object) => ask('PATCH', `channels/${json.id}`, body);
    expect((await patch({ enabled: false, name: 'new' })).json).toMatchObject({
      enabled: false,
      name: 'new',
    });
    expect(pathOf(await patch({ target: { kind: 'slack', url: receiver.url } }))).toBe('target.kind');
    expect(pathOf(await patch({ allowPrivate: false }))).toBe('target');
    const target = { kind: 'webhook', url: receiver.url };
    expect(pathOf(await patch({ allowPrivate: false, target }))).toBe('target.url');
    const moved = { kind: 'webhook', url: 'https://hooks.example.com/x' };
    expect((await patch({ allowPrivate: false, target: moved })).json).toMatchObject({
      destination: 'hooks.example.com',
      allowPrivate: false,
    });
    expect((await ask('DELETE', `channels/${json.id}`)).status).toBe(200);
    expect((await patch({})).status).toBe(404);
  });

  it('preview shows what each kind would be sent', async () => {
    for (const kind of ['webhook', 'slack', 'discord', 'teams', 'email', 'pagerduty']) {
      const body = { kind, template: { title: 'Mine: {{title}}', text: null } };
      const { json } = await ask('POST', 'preview', body);
      expect(json.body, kind).toContain('Mine: This is a test');
    }
    expect(
      (await ask('POST', 'preview', { kind: 'slack', template: { title: '{{x}}', text: null } })).status,
    ).toBe(400);
  });
});

describe('from a commit to the receiver (TW-16)', () => {
  async function spend(costNanoUsd: bigint): Promise<void> {
    const [project] = await world.deps.store.config.listProjects(null);
    await world.deps.store.ledger.commit(
      [
        sampleSettled(world.deps.newId(), {
          workspaceId: world.deps.firstWorkspaceId,
          projectId: project?.id ?? '',
          costNanoUsd,
          startedAtMs: world.clock.ms,
        }),
      ],
      { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 },
    );
  }
  beforeEach(() => world.call('/api/projects', { local: true, body: { slug: 'web' } }));

  it('fires, delivers, shows the history and every try, and sends again when asked', async () => {
    const { json: channel } = await ask('POST', 'channels', webhook());
    await spend(2_000_000_000n);
    const { json: rule } = await ask('POST', 'rules', spendRule({ channelIds: [channel.id] }));
    const [call] = await receiver.until(1);
    const eventId = call?.headers['webhook-id'];
    const { json: history } = await ask('GET', `events?rule=${rule.id}`);
    expect(history.events).toMatchObject([
      {
        id: eventId,
        state: 'firing',
        environment: 'production',
        title: 'Spend in production reached $2.00 today',
      },
    ]);
    const rules = (await ask('GET', 'rules')).json.rules as { firing: { subject: string }[] }[];
    expect(rules[0]?.firing.map(({ subject }) => subject)).toEqual(['production']);
    const delivered = await eventually('the delivery is finished', async () => {
      const { json } = await ask('GET', 'deliveries?status=delivered');
      return (json.deliveries as { id: string }[])[0] ?? null;
    });
    expect(delivered).toMatchObject({ eventId, attempts: 1, log: [{ ok: true, status: 200 }] });
    expect((await ask('POST', `deliveries/${delivered.id}/redeliver`)).json.status).toBe('pending');
    const calls = await receiver.until(2);
    expect(calls[1]?.headers['webhook-id']).toBe(eventId);
    expect((await ask('POST', 'deliveries/nope/redeliver')).status).toBe(404);
    const { json: other } = await ask('GET', 'events?environment=staging');
    expect(other.events).toEqual([]);
  });

  it.each([
    ['removed', 'DELETE', undefined],
    ['switched off', 'PATCH', { enabled: false }],
  ])(
    'a rule that is %s while it fires is told to be closed, with a link, and nothing after it',
    async (ending, method, body) => {
      const { json: channel } = await ask('POST', 'channels', webhook());
      await spend(2_000_000_000n);
      const { json: rule } = await ask('POST', 'rules', spendRule({ channelIds: [channel.id] }));
      await receiver.until(1);
      expect((await ask(method, `rules/${rule.id}`, body)).status).toBe(200);
      const calls = await receiver.until(2);
      const [fired, closed] = calls.map((call) => JSON.parse(call.body));
      expect([fired.type, closed.type]).toEqual(['alert.firing', 'alert.closed']);
      expect(closed.data).toMatchObject({
        ruleId: rule.id,
        environment: 'production',
        title: 'No longer watched: Spend in production reached $2.00 today',
        text: expect.stringContaining(`was ${ending} while this fired`),
        url: fired.data.url,
      });
      expect(fired.data.url).toMatch(
        /^https:\/\/gate\.example\.com\/\?from=.*&environment=production&metric=spend/,
      );
      await ask('POST', 'evaluate');
      const { json: history } = await ask('GET', `events?rule=${rule.id}`);
      expect((history.events as { state: string }[]).map(({ state }) => state)).toEqual(['closed', 'firing']);
    },
  );

  it('a rule is tried on the last days before it is made, and nothing is stored or told', async () => {
    await spend(2_000_000_000n);
    const { condition } = spendRule();
    const { json } = await ask('POST', 'rules/rehearse', { condition });
    expect(json).toMatchObject({ days: 7, told: 1, reason: null });
    expect(json.last).toMatchObject([{ title: 'Spend in production reached $2.00 today' }]);
    const filter = { keys: ['nope'] };
    expect(pathOf(await ask('POST', 'rules/rehearse', { condition, filter }))).toBe('filter.keys');
    expect((await ask('POST', 'rules/rehearse', { condition: { kind: 'account' } })).json.told).toBeNull();
    expect((await ask('GET', 'rules')).json.rules).toEqual([]);
    expect((await ask('GET', 'events')).json.events).toEqual([]);
  });

  it('evaluate judges every rule now', async () => {
    await ask('POST', 'rules', spendRule());
    await spend(2_000_000_000n);
    await eventually('the rule fired', async () => {
      await ask('POST', 'evaluate');
      return ((await ask('GET', 'events')).json.events as unknown[]).length === 1;
    });
  });

  it('what the security panel finds is told (NX-10)', async () => {
    for (let count = 0; count < 11; count += 1)
      world.deps.security.note({ kind: 'login_failed', address: '203.0.113.9', host: 'gate' });
    const { json: channel } = await ask('POST', 'channels', webhook());
    await ask('POST', 'rules', { name: 's', condition: { kind: 'security' }, channelIds: [channel.id] });
    const [call] = await receiver.until(1);
    expect(call?.body).toContain('203.0.113.9 failed to sign in 11 times');
  });
});

describe('who may (CF-14)', () => {
  it('viewers see rules and events; channels and changes are for managers', async () => {
    await world.setUp();
    const viewer = await world.join('viewer', 'vera');
    const manager = await world.join('manager', 'mona');
    const status = async (headers: Record<string, string>, method: string, path: string, body?: unknown) =>
      (await world.call(`/api/alerts/${path}`, { headers, method, body })).status;
    for (const path of ['rules', 'events']) expect(await status(viewer.headers, 'GET', path)).toBe(200);
    for (const path of ['channels', 'deliveries'])
      expect(await status(viewer.headers, 'GET', path)).toBe(403);
    expect(await status(viewer.headers, 'POST', 'rules', spendRule())).toBe(403);
    expect(await status(manager.headers, 'POST', 'rules', spendRule())).toBe(201);
    expect(await status({ ...manager.headers, 'x-csrf-token': 'wrong' }, 'POST', 'rules', spendRule())).toBe(
      403,
    );
  });
});
