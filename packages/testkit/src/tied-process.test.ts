import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

/** Starts one that runs for ever, says its id, and then does what it is told. */
const PARENT = (then: string) => `
  import { spawnTied } from ${JSON.stringify(new URL('./tied-process.ts', import.meta.url).href)};
  const child = spawnTied(process.execPath, ['-e', 'setInterval(() => {}, 1e6); console.log("up")'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.once('data', () => {
    console.log(child.pid);
    ${then}
  });`;

function startParent(then = ''): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', PARENT(then)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
async function childOf(parent: ChildProcess): Promise<number> {
  const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
  return Number(line.toString());
}
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('ends with the process that started it', async () => {
  const pid = await childOf(startParent('process.exit(0);'));
  await expect.poll(() => runs(pid)).toBe(false);
});

it.runIf(process.platform === 'linux')('ends when that one is killed', async () => {
  const parent = startParent();
  const pid = await childOf(parent);
  expect(runs(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => runs(pid)).toBe(false);
});
