import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function run(args: readonly string[]) {
  const terminal = recordingTerminal({});
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, stdout: terminal.written.out, stderr: terminal.written.error };
}

it('(CF-18) pauses, resumes, revokes and keeps the evidence with one command each, without a server too', async () => {
  const made = JSON.parse((await run(['keys', 'create', '--name', 'k', '--json'])).stdout);
  const paused = await run(['incident', 'pause', '--reason', 'leak', '--json']);
  expect(JSON.parse(paused.stdout)).toMatchObject({ paused: { reason: 'leak' }, ended: 0 });
  expect((await run(['incident', 'resume'])).stdout).toBe('Traffic passes again.\n');

  const unsure = await run(['incident', 'rotate-all']);
  expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  expect(JSON.parse((await run(['incident', 'rotate-all', '--yes', '--json'])).stdout)).toEqual({
    revoked: 1,
  });
  expect((await run(['incident', 'revoke-sessions'])).stdout).toContain('0 sessions');

  const folder = join(dataDir, 'evidence');
  const exported = await run(['incident', 'export', folder, '--json']);
  expect(exported.code).toBe(0);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  for (const { name, sha256 } of manifest.files) {
    const bytes = await readFile(join(folder, name));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect(bytes.toString()).not.toContain(made.key.slice(10));
  }
  const lines = (await readFile(join(folder, 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(manifest.entries);
  expect(lines.join()).toContain('POST /api/incident/rotate-all');
  expect((await run(['incident', 'export', folder])).code).toBe(1);
});
