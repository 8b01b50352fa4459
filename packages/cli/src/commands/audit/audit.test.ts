import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Runs a command on the store itself: no server runs here. */
async function onStore(args: readonly string[]) {
  const terminal = recordingTerminal({});
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, stdout: terminal.written.out, stderr: terminal.written.error };
}

describe('audit (X-06)', () => {
  it('works without a server: lists, proves, exports, and names what was tampered with', async () => {
    expect((await onStore(['projects', 'create', 'alpha'])).code).toBe(0);
    expect((await onStore(['projects', 'create', 'beta'])).code).toBe(0);
    const listed = await onStore(['audit', 'list', '--resource', 'project', '--json']);
    const entries = listed.stdout.trimEnd().split('\n');
    expect(entries.map((line) => JSON.parse(line).outcome)).toEqual(['ok', 'ok']);
    expect((await onStore(['audit', 'list'])).stdout).toContain('slug: – → alpha');

    const good = await onStore(['audit', 'verify', '--json']);
    expect(good.code).toBe(0);
    const { head } = JSON.parse(good.stdout);
    const kept = `${head.seq}:${head.hash}`;

    const path = join(dataDir, 'audit.log');
    const exported = await onStore(['audit', 'export', '--format', 'syslog', '--output', path, '--json']);
    expect(JSON.parse(exported.stdout)).toEqual({ path, format: 'syslog', lines: head.seq });
    expect((await readFile(path, 'utf8')).split('\n')[0]).toMatch(/^<110>1 \S+Z - tallygate - POST_/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await onStore(['audit', 'export', '--output', path]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('already')]);
    const rest = await onStore(['audit', 'export', '--after', String(head.seq)]);
    expect(JSON.parse(rest.stdout.split('\n')[0] ?? '')).toMatchObject({ action: 'GET /api/audit/export' });
    expect((await onStore(['audit', 'verify', '--expect', kept])).code).toBe(0);

    const file = new DatabaseSync(join(dataDir, 'tallygate.db'));
    file.exec("update audit_entry set actor_name = 'somebody else' where seq = 2");
    file.close();
    const bad = await onStore(['audit', 'verify']);
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringContaining('Entry 2 is not as it was written.')]);
  });

  it('refuses a head that is none', async () => {
    expect((await onStore(['audit', 'verify', '--expect', 'abc'])).code).toBe(2);
  });
});
