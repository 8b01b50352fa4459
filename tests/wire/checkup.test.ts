import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckupView } from '@tallygate/contract/api/checkup';
import { startWireWorld } from '@tallygate/testkit/wire-world';
import { expect, it } from 'vitest';

it('(NX-11) a server finds its own open files, weak secrets and plain transport, and says what to do', async () => {
  const world = await startWireWorld({ config: { CORS_ORIGIN: 'http://app.example' } });
  try {
    const run = async () => {
      const { lastRun } = await world.gate.admin<CheckupView>('POST', '/api/security/checkup', {});
      const by = (part: 'safety' | 'order') =>
        Object.fromEntries((lastRun?.[part] ?? []).map((line) => [line.id, line]));
      return { safety: by('safety'), order: by('order') };
    };
    const whole = await run();
    for (const id of ['data_directory', 'data_files', 'master_key', 'bind_address', 'tls', 'database_tls'])
      expect([id, whole.safety[id]?.status]).toEqual([id, 'ok']);
    expect(whole.safety.cors).toMatchObject({ status: 'warn', fix: expect.stringContaining('https') });
    expect(Object.keys(whole.order)).toEqual(
      expect.arrayContaining(['data_directory', 'disk_space', 'clock', 'store', 'journal', 'prices']),
    );
    await chmod(join(world.gate.dataDir, 'master.key'), 0o644);
    const open = await run();
    expect(open.safety.master_key).toMatchObject({
      status: 'fail',
      fix: expect.stringMatching(/^chmod 600 /),
    });
    expect(open.safety.data_files).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('master.key'),
    });
  } finally {
    await world.stop();
  }
});
