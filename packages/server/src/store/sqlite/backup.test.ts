import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqliteTarget } from '@tallygate/testkit/store-target';
import { usageEvent } from '@tallygate/testkit/usage-events';
import { afterEach, describe, expect, it } from 'vitest';
import { siblingModule } from '../../kernel/sibling-module.ts';
import { sqliteEngine } from './engine.ts';

const target = sqliteTarget();
afterEach(() => target.cleanUp());

/** Kills a process as soon as it has begun to write a backup. */
async function killDuringBackup(url: string, directory: string): Promise<NodeJS.Signals | null> {
  const engine = siblingModule(import.meta.url, './engine').href;
  const script = `
    const { sqliteEngine } = await import(${JSON.stringify(engine)});
    const store = await sqliteEngine.open(${JSON.stringify(url)}, { role: 'main' });
    await store.maintenance.backup(${JSON.stringify(join(directory, 'store.backup'))});`;
  const watcher = watch(directory);
  const program = join(await target.directory(), 'backup.mjs'); // a file: threads inherit flags, -e cannot be one
  writeFileSync(program, script);
  const child = spawn(process.execPath, ['--conditions=@tallygate/source', program], { stdio: 'inherit' });
  watcher.on('change', (_kind, name) => {
    if (String(name).includes('.partial-')) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  watcher.close();
  return signal;
}

describe('a backup whose process is killed', { timeout: 60_000 }, () => {
  it('leaves nothing under its name, and the next one is whole (WT-13)', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'ledger' });
    await store.migrate();
    for (let i = 0; i < 10; i++) {
      const batch = Array.from({ length: 500 }, () => usageEvent());
      await store.ledger.commit(batch, {
        nodeId: 'n',
        committed: { segment: 1, offset: i },
        lowWaterSegment: 1,
      });
    }
    const directory = await target.directory();
    expect(await killDuringBackup(url, directory)).toBe('SIGKILL');
    expect(existsSync(join(directory, 'store.backup'))).toBe(false);
    expect(readdirSync(directory)).toHaveLength(1); // what was written so far, under a name that says so
    expect((await store.maintenance.backup(join(directory, 'store.backup'))).events).toBe(5_000);
    await store.close();
  });
});
