import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-limits-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function run(...args: string[]) {
  const terminal = recordingTerminal();
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, ...terminal.written };
}
const json = async (...args: string[]) => JSON.parse((await run('limits', ...args, '--json')).out);

describe('limits without a server (CF-13)', { timeout: 180_000 }, () => {
  it('create, list, show and remove speak JSON', async () => {
    const what = ['--requests', '60', '--window', 'minute', '--burst', '10', '--per', 'key'];
    const made = await json('create', ...what, '--scope', 'model:claude-*', '--name', 'm');
    expect(Object.keys(made)[0]).toBe('id');
    expect(made).toMatchObject({
      ...{ scope: 'model:claude-*', per: 'key', measure: 'requests', limit: 60, window: 'minute', burst: 10 },
      status: { counting: 0, fullest: [] },
    });
    expect(await json('list')).toEqual({ limits: [made] });
    expect(await json('show', made.id)).toEqual(made);
    expect((await run('limits', 'list')).out).toContain('60 requests a minute, 10 at once for each key');
    expect((await run('limits', 'show', 'm')).out).toContain('not at zero: 0');
    expect(await json('update', 'm', '--limit', '120', '--burst', 'none')).toEqual({
      ...{ ...made, limit: 120, burst: null },
    });
    expect((await run('limits', 'update', 'm')).error).toContain('Nothing to change');
    expect((await run('limits', 'update', 'm', '--burst', '121')).error).toContain('at most the limit');
    expect((await json('list')).limits).toMatchObject([{ name: 'm', limit: 120, burst: null }]);
    expect(await json('remove', 'm')).toEqual({ id: made.id, removed: true });
    expect(await json('list')).toEqual({ limits: [] });
  });

  it.each([
    [[], 'counts one thing'],
    [['--requests', '1', '--tokens', '5', '--window', 'day'], 'counts one thing'],
    [['--requests', '1.5', '--window', 'day'], '--requests'],
    [['--requests', '5'], 'minute, hour or day'],
    [['--concurrent-requests', '5', '--window', 'day'], 'no window'],
    [['--requests', '5', '--window', 'day', '--burst', '6'], 'at most the limit'],
    [['--requests', '5', '--window', 'day', '--per', 'nobody'], '--per'],
    [['--requests', '5', '--window', 'day', '--scope', 'key:none'], 'no key'],
  ])('%j is explained', async (args, text) => {
    const { code, error } = await run('limits', 'create', ...args);
    expect(code).not.toBe(0);
    expect(error).toContain(text);
  });
});
