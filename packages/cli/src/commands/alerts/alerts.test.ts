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

async function run(...args: string[]) {
  const terminal = recordingTerminal({ env: { HOOK: `${receiver.url}/secret` } });
  const code = await runCli(['alerts', ...args, '--data-dir', dataDir], terminal);
  return { code, ...terminal.written };
}
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out);

describe('alerts without a server (TW-16)', { timeout: 120_000 }, () => {
  it('channels: add, list, test, remove; the URL comes from a variable and is never printed', async () => {
    const made = await json(
      'add-channel',
      'webhook',
      '--name',
      'ops',
      '--url-env',
      'HOOK',
      '--allow-private',
    );
    expect(made.signingSecret).toMatch(/^whsec_/);
    expect(await json('test', 'ops')).toMatchObject({ ok: true, status: 200 });
    expect(receiver.calls[0]?.path).toBe('/secret');
    receiver.answer = { status: 500 };
    const failed = await run('test', 'ops');
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('HTTP 500')]);
    const listed = await run('channels');
    expect(listed.out).toContain(new URL(receiver.url).host);
    expect(listed.out).not.toContain('/secret');
    const refused = await run('add-channel', 'webhook', '--name', 'x', '--url-env', 'HOOK');
    expect([refused.code === 0, refused.error.includes('allowPrivate')]).toEqual([false, true]);
    const incomplete = await run('add-channel', 'email', '--name', 'x');
    expect([incomplete.code === 0, incomplete.error.includes('--host')]).toEqual([false, true]);
  });

  it('rules: create, list, disable, enable, evaluate, history, remove', async () => {
    const spend = ['--watch', 'spend', '--reaches', '50', '--channel', 'ops', '--environment', 'production'];
    const rule = await json('create', '--name', 'daily', ...spend);
    expect(rule).toMatchObject({
      sentence: 'Spend reaches $50.00 today, in production.',
      condition: { kind: 'usage', thresholdUsd: '50', window: 'day' },
    });
    expect(rule.channelIds).toHaveLength(1);
    const odd = ['--watch', 'anomaly', '--by', 'key', '--metric', 'tokens', '--sensitivity', 'high'];
    expect((await json('create', '--name', 'odd', ...odd)).condition).toEqual({
      kind: 'anomaly',
      metric: 'tokens',
      by: 'key',
      sensitivity: 'high',
    });
    expect(
      (await json('create', '--name', 'b', '--watch', 'budget', '--percent', '80')).condition,
    ).toMatchObject({
      percents: [80],
      basis: 'spent',
    });
    expect(await json('disable', 'daily')).toMatchObject({ enabled: false });
    expect(await json('evaluate')).toEqual({ rules: 2, events: 0 });
    expect(await json('enable', 'daily')).toMatchObject({ enabled: true });
    expect((await run('list')).out).toContain('Spend reaches $50.00 today');
    expect(await json('history')).toEqual({ events: [] });
    expect(await json('deliveries', '--status', 'dead')).toEqual({ deliveries: [] });
    expect(await json('remove', 'daily')).toMatchObject({ removed: true });
    expect(await json('remove-channel', 'ops')).toMatchObject({ removed: true });
  });

  it.each([
    ['--reaches', ['create', '--name', 'x', '--watch', 'spend']],
    ['--reaches', ['create', '--name', 'x', '--watch', 'tokens', '--reaches', 'many']],
    ['--watch', ['create', '--name', 'x', '--watch', 'weather']],
  ])('explains what is wrong with %s: %j', async (option, args) => {
    const { code, error } = await run(...args);
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
