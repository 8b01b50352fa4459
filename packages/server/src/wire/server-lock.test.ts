import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireServerLock, waitForServerLock } from './server-lock.ts';

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tallygate-lock-'));
  path = join(dir, 'server.lock');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Another process that holds the lock until it is killed. */
async function holder() {
  const script = `import { acquireServerLock } from ${JSON.stringify(new URL('./server-lock.ts', import.meta.url))};
    console.log(acquireServerLock(${JSON.stringify(path)}) === null ? 'no' : 'yes'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script]);
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  expect(printed.toString().trim()).toBe('yes');
  return child;
}

describe('acquireServerLock', () => {
  it('is held by one process at a time, and gone with it however it ended', async () => {
    const child = await holder();
    expect(acquireServerLock(path)).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const release = acquireServerLock(path);
    expect(release).not.toBeNull();
    release?.();
  });

  it('can be taken again after its release, and is readable by its owner only', async () => {
    acquireServerLock(path)?.();
    const again = acquireServerLock(path);
    expect(again).not.toBeNull();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    again?.();
  });
});

describe('waitForServerLock', () => {
  it('takes it as soon as its holder is gone', async () => {
    const child = await holder();
    const waiting = waitForServerLock(path, 20_000);
    child.kill('SIGKILL');
    const release = await waiting;
    expect(release).not.toBeNull();
    release?.();
  });

  it('gives up when the time is over', async () => {
    const child = await holder();
    expect(await waitForServerLock(path, 60)).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});
