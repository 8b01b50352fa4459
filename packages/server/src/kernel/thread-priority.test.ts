import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

const MODULE = JSON.stringify(new URL('./thread-priority.ts', import.meta.url).href);

/** What a process of its own answers, so that nothing here changes the one that runs the tests. */
function inProcess(program: string, before: readonly string[] = []): unknown {
  const [command = '', ...args] = [...before, process.execPath, '--input-type=module', '-e', program];
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8' }));
}

/** Two threads that are busy for a quarter of a second, and how long one of them was in line. */
const BUSY = `
import { Worker } from 'node:worker_threads';
const { threadWaitMs } = await import(${MODULE});
const busy = 'const from = Date.now(); while (Date.now() - from < 400);';
const other = new Worker(busy, { eval: true });
await new Promise((resolve) => other.once('online', resolve));
const before = threadWaitMs();
const from = Date.now();
while (Date.now() - from < 250);
console.log(JSON.stringify(threadWaitMs() - before));
`;

/** A thread that lowers itself and reports its own nice value. */
const THREAD = `
import { readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
const { lowerThreadPriority } = await import(${MODULE});
lowerThreadPriority(5);
parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))));
`;

describe.skipIf(process.platform !== 'linux')('thread priority', () => {
  it('lowers the calling thread and leaves the others alone', async () => {
    const before = getPriority();
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`));
    const nice = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    );
    await worker.terminate();
    expect(nice).toBe(Math.min(19, before + 5));
    expect(getPriority()).toBe(before);
  });

  it('tells how long a thread was in line for its core', () => {
    // Both are on one core, so that each waits while the other runs; a container may not have the first one.
    const [, core = '0'] =
      /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    expect(inProcess(BUSY, ['taskset', '-c', core])).toBeGreaterThan(60);
  });
});
