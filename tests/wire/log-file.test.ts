import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MESSAGES_BODY, startWireWorld } from '@tallygate/testkit/wire-world';
import { expect, it } from 'vitest';

it('(CF-15) LOG_FILE gets what standard error gets, for its owner alone, and nothing of a request', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tallygate-log-'));
  const path = join(folder, 'sub', 'gate.log');
  const world = await startWireWorld({ config: { LOG_FILE: path, TALLYGATE_LOG_LEVEL: 'debug' } });
  try {
    const content = 'a prompt nobody may read';
    await world.messages({ ...MESSAGES_BODY, messages: [{ role: 'user', content }] }).answer;
    const written = await readFile(path, 'utf8');
    const lines = written.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).msg)).toContain('administrative act');
    expect(written).not.toContain('a prompt');
    expect(written).not.toContain(world.gate.key);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  } finally {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
