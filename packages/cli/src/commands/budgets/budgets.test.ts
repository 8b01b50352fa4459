import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-budgets-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function run(...args: string[]) {
  const terminal = recordingTerminal();
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, ...terminal.written };
}
const json = async (...args: string[]) => JSON.parse((await run('budgets', ...args, '--json')).out);

describe('budgets without a server (X-02)', { timeout: 180_000 }, () => {
  it('create, list, show, holds and remove speak JSON', async () => {
    const scope = ['--scope', 'model:claude-*', '--window', 'month'];
    const made = await json('create', ...scope, '--limit-usd', '1.00', '--mode', 'clamp', '--name', 'm');
    expect(Object.keys(made)[0]).toBe('id');
    expect(made).toMatchObject({
      scope: 'model:claude-*',
      limitUsd: '1',
      mode: 'clamp',
      status: { left: '1' },
    });
    expect(await json('list')).toEqual({ budgets: [made] });
    expect(await json('show', made.id)).toMatchObject({ id: made.id, users: [] });
    expect([await json('holds'), await json('holds', 'm')]).toEqual([{ holds: [] }, { holds: [] }]);
    expect((await run('budgets', 'list')).out).toContain('model claude-*');
    expect(await json('update', 'm', '--limit-usd', '2.50', '--mode', 'soft')).toMatchObject({
      ...{ id: made.id, name: 'm', scope: made.scope, limitUsd: '2.5', mode: 'soft' },
      status: { left: '2.5' },
    });
    expect((await run('budgets', 'update', 'm')).error).toContain('Nothing to change');
    expect((await run('budgets', 'update', 'm', '--limit-tokens', '5')).code).not.toBe(0); // it is in dollars
    expect((await json('list')).budgets).toMatchObject([{ limitUsd: '2.5', mode: 'soft' }]);
    expect(await json('remove', 'm')).toEqual({ id: made.id, removed: true });
    expect(await json('list')).toEqual({ budgets: [] });
  });

  it('takes lengths of windows, weighted tokens and a provisional price', async () => {
    const scope = ['--scope', 'model:a*,tag:x', '--window', '2d'];
    const price = ['--unpriced', 'provisional', '--provisional-usd-per-mtok', '2.5'];
    expect(await json('create', ...scope, '--limit-usd', '3', ...price)).toMatchObject({
      ...{ scope: 'model:a*,tag:x', window: 'custom', windowHours: 48 },
      ...{ unpriced: 'provisional', provisionalUsdPerMtok: '2.5' },
    });
    const slides = await json('create', ...scope, '--limit-usd', '3', '--sliding');
    expect(slides).toMatchObject({ window: 'custom', windowHours: 48, sliding: true });
    expect((await run('budgets', 'show', slides.id)).out).toMatch(
      /sliding 48h[\s\S]*what counts now has left by/,
    );
    const made = await json('create', ...scope, '--limit-weighted-tokens', '500');
    expect(made).toMatchObject({ measure: 'weighted_tokens', limitWeightedTokens: 500 });
    expect((await run('budgets', 'show', made.id)).out).toContain(
      '500 weighted tokens for model a*, tag x, 48h',
    );
    for (const { id } of (await json('list')).budgets) await json('remove', id);
  });

  it('0 is a limit; two limits, none, and nonsense are explained', async () => {
    const create = ['budgets', 'create', '--scope', 'workspace', '--window', 'day'];
    expect((await json('create', ...create.slice(2), '--limit-requests', '0')).limitRequests).toBe(0);
    for (const wrong of [
      [],
      ['--limit-usd', '1', '--limit-tokens', '5'],
      ['--limit-usd', '-1'],
      ['--limit-tokens', '1.5'],
    ]) {
      const { code, error: err } = await run(...create, ...wrong);
      expect([code === 0, err.includes('--limit')], wrong.join(' ')).toEqual([false, true]);
    }
    const user = ['--scope', 'user:nobody', '--window', 'day', '--limit-usd', '1'];
    const { code, error: err } = await run('budgets', 'create', ...user);
    expect(code).not.toBe(0);
    expect(err).toContain('no user');
    const bad = await run('budgets', 'create', '--scope', 'workspace', '--window', '5x', '--limit-usd', '1');
    expect([bad.code === 0, bad.error.includes('--window')]).toEqual([false, true]);
  });
});
