import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as contract from '@tallygate/contract/api/alerts';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';
import * as input from './alert-input.ts';

let dataDir: string;
let receiver: FakeReceiver;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-alerts-'));
  receiver = await startFakeReceiver();
});
afterAll(async () => {
  await receiver.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const alerts = (...args: string[]) => run('alerts', ...args);
const channels = (...args: string[]) => run('channels', ...args);
async function run(...args: string[]) {
  const terminal = recordingTerminal({
    env: { HOOK: `${receiver.url}/secret`, OTHER: `${receiver.url}/other` },
  });
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, ...terminal.written };
}
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out);

describe('alerts without a server (TW-16)', { timeout: 180_000 }, () => {
  it('channels: add, list, test, change, switch off, remove; the URL comes from a variable and is never printed', async () => {
    const made = await json(
      'channels',
      'add',
      'webhook',
      '--name',
      'ops',
      '--url-env',
      'HOOK',
      '--allow-private',
    );
    expect(made.signingSecret).toMatch(/^whsec_/);
    expect(await json('channels', 'test', 'ops')).toMatchObject({ ok: true, status: 200 });
    expect(receiver.calls[0]?.path).toBe('/secret');
    receiver.answer = { status: 500 };
    const failed = await channels('test', 'ops');
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('HTTP 500')]);
    const listed = await channels('list');
    expect(listed.out).toContain(new URL(receiver.url).host);
    expect(listed.out).not.toContain('/secret');
    const refused = await channels('add', 'webhook', '--name', 'x', '--url-env', 'HOOK');
    expect([refused.code === 0, refused.error.includes('allowPrivate')]).toEqual([false, true]);
    const incomplete = await channels('add', 'email', '--name', 'x');
    expect([incomplete.code === 0, incomplete.error.includes('--host')]).toEqual([false, true]);

    receiver.answer = { status: 200 };
    const worded = await json('channels', 'update', 'ops', '--title', 'T: {{title}}', '--url-env', 'OTHER');
    expect(worded).toMatchObject({ name: 'ops', template: { title: 'T: {{title}}', text: null } });
    await channels('test', 'ops');
    const call = receiver.calls.at(-1);
    expect([call?.path, JSON.parse(call?.body ?? '').data.title]).toEqual(['/other', 'T: This is a test']);
    expect(await json('channels', 'update', 'ops', '--title', 'none', '--name', 'ops2')).toMatchObject({
      name: 'ops2',
      template: null,
    });
    expect(await json('channels', 'disable', 'ops2')).toMatchObject({ enabled: false });
    expect(await json('channels', 'enable', 'ops2')).toMatchObject({ enabled: true });
    expect((await channels('update', 'ops2')).error).toContain('Nothing to change');
    const both = await channels('update', 'ops2', '--allow-private', '--public-only');
    expect([both.code === 0, both.error.includes('opposite')]).toEqual([false, true]);
    await json('channels', 'update', 'ops2', '--name', 'ops');
  });

  it('rules: create, list, disable, enable, evaluate, history, remove', async () => {
    const spend = ['--watch', 'spend', '--reaches', '50', '--channel', 'ops', '--environment', 'production'];
    const rule = await json('alerts', 'create', '--name', 'daily', ...spend);
    expect(rule).toMatchObject({
      sentence: 'Spend reaches $50.00 today, in production.',
      condition: { kind: 'usage', thresholdUsd: '50', window: 'day' },
    });
    expect(rule.channelIds).toHaveLength(1);
    const odd = [
      '--recovery',
      'no',
      '--watch',
      'anomaly',
      '--by',
      'key',
      '--metric',
      'tokens',
      '--sensitivity',
      'high',
    ];
    expect(await json('alerts', 'create', '--name', 'odd', ...odd)).toMatchObject({
      condition: { kind: 'anomaly', metric: 'tokens', by: 'key', sensitivity: 'high' },
      notifyRecovery: false,
    });
    const budget = ['--watch', 'budget', '--percent', '80'];
    expect((await json('alerts', 'create', '--name', 'b', ...budget)).condition).toMatchObject({
      percents: [80],
      basis: 'spent',
    });
    expect(await json('alerts', 'disable', 'daily')).toMatchObject({ enabled: false });
    expect(await json('alerts', 'evaluate')).toEqual({ rules: 2, events: 0 });
    expect(await json('alerts', 'enable', 'daily')).toMatchObject({ enabled: true });
    expect((await alerts('list')).out).toContain('Spend reaches $50.00 today');
    expect(await json('alerts', 'history')).toEqual({ events: [] });
    expect(await json('alerts', 'deliveries', '--status', 'dead')).toEqual({ deliveries: [] });
    expect(await json('alerts', 'test', 'daily')).toEqual({ days: 7, told: 0, reason: null, last: [] });
    expect((await alerts('test', 'b')).out).toContain('cannot be said');
  });

  it('rules are changed in what is given, and keep the rest', async () => {
    const update = (...args: string[]) => json('alerts', 'update', 'daily', ...args);
    const before = (await json('alerts', 'list')).rules.find(
      ({ name }: { name: string }) => name === 'daily',
    );
    expect(await update('--reaches', '75')).toEqual({
      ...before,
      condition: { ...before.condition, thresholdUsd: '75' },
      sentence: 'Spend reaches $75.00 today, in production.',
    });
    await json('keys', 'create', '--name', 'ci');
    const narrowed = await update('--key', 'ci', '--model', 'a,b', '--environment', 'any');
    expect(narrowed.sentence).toBe(
      'Spend reaches $75.00 today, only key ci and model a or b, in any environment by itself.',
    );
    expect((await update('--model', 'c')).filter).toEqual({ ...narrowed.filter, models: ['c'] });
    expect((await update('--all-traffic', '--tell-nobody', '--recovery', 'no')).filter).toEqual({});
    const other = await update('--watch', 'error_rate', '--reaches', '5', '--window', 'last_hour');
    expect(other).toMatchObject({
      condition: { kind: 'usage', metric: 'error_rate', window: 'last_hour', threshold: 5 },
      channelIds: [],
      notifyRecovery: false,
    });
    expect((await json('alerts', 'update', 'b', '--include-held')).condition).toMatchObject({
      percents: [80],
      basis: 'spent_and_held',
    });
    const nothing = await alerts('update', 'daily');
    expect([nothing.code === 0, nothing.error.includes('Nothing to change')]).toEqual([false, true]);
    expect((await alerts('update', 'daily', '--key', 'nobody')).error).toContain('no key');
    expect(await json('alerts', 'remove', 'daily')).toMatchObject({ removed: true });
    expect(await json('channels', 'remove', 'ops')).toMatchObject({ removed: true });
  });

  it.each([
    ['--reaches', ['create', '--name', 'x', '--watch', 'spend']],
    ['--reaches', ['create', '--name', 'x', '--watch', 'tokens', '--reaches', 'many']],
    ['--watch', ['create', '--name', 'x', '--watch', 'weather']],
  ])('explains what is wrong with %s: %j', async (option, args) => {
    const { code, error } = await alerts(...args);
    expect([code === 0, error.includes(option)]).toEqual([false, true]);
  });

  it('offers what the contract has', () => {
    expect(input.METRICS).toEqual(contract.ALERT_METRICS);
    expect(input.ALERT_WINDOWS).toEqual(contract.ALERT_WINDOWS);
    expect(input.SEVERITIES).toEqual(contract.ALERT_SEVERITIES);
    expect(input.SENSITIVITIES).toEqual(contract.SENSITIVITIES);
    expect(input.ANOMALY_METRICS).toEqual(contract.ANOMALY_METRICS);
    expect(input.ANOMALY_GROUPS).toEqual(contract.ANOMALY_GROUPS);
    expect(input.ACCOUNT_CONDITIONS).toEqual(contract.ACCOUNT_CONDITIONS);
    expect(input.CHANNEL_KINDS).toEqual(contract.CHANNEL_KINDS);
    expect(input.DELIVERY_STATUSES).toEqual(contract.DELIVERY_STATUSES);
    expect([...new Set(['usage', ...input.OTHER_KINDS])].sort()).toEqual([...contract.ALERT_KINDS].sort());
  });
});
