import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const MODULE = JSON.stringify(new URL('./thread-heaps.ts', import.meta.url).href);

/** A thread that keeps much of what it allocates for a while, so that its young generation grows as far as it may. */
const CHURN = `
import { getHeapSpaceStatistics } from 'node:v8';
import { parentPort } from 'node:worker_threads';
const kept = [];
let most = 0;
for (let i = 0; i < 400_000; i++) {
  kept[i % 50_000] = { at: i, text: String(i), more: [i, i + 1] };
  if (i % 1_000 > 0) continue;
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  most = Math.max(most, young.space_size);
}
parentPort.postMessage(most / 1024 / 1024);
`;

/** Megabytes of a thread's young generation at its largest, in a process of its own that first does this. */
function youngMegabytes(first: string): number {
  const program = `
    import { Worker } from 'node:worker_threads';
    const { boundThreadHeaps } = await import(${MODULE});
    ${first}
    new Worker(new URL('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(CHURN))})).once('message', (most) => console.log(most));
  `;
  const args = ['--max-semi-space-size=16', '--input-type=module', '-e', program];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

describe('heaps of threads', () => {
  it('have a small young generation, whatever the main thread was started with', () => {
    expect(youngMegabytes('boundThreadHeaps();')).toBeLessThanOrEqual(6);
    expect(youngMegabytes('')).toBeGreaterThan(6);
  });

  it('are set by flags that this V8 knows: of others it says nothing', () => {
    const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8', maxBuffer: 1 << 24 });
    for (const flag of ['max-semi-space-size', 'parallel-scavenge']) expect(known).toContain(`--${flag} (`);
  });
});
