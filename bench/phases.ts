import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextMessage } from './child.ts';
import type { LoadJob, LoadResult } from './load-types.ts';
import { cpuMs, MS_PER_TICK, machineCpuMs, rssMb, sumOf } from './proc.ts';
import type { Target } from './targets.ts';

/** One thing measured of every target in every round. */
export interface Phase {
  name: 'json' | 'sse' | 'json-c1' | 'large-c1' | 'paced';
  shape: LoadJob['shape'];
  connections: number;
  promptBytes: number;
  durationMs: number;
}

/** Prompts are what an SDK call with a short question carries (about 1.2 KB with its headers), and 100 KB. */
const SHORT_PROMPT_BYTES = 900;
const LARGE_PROMPT_BYTES = 100 * 1024;

export function phases(quick: boolean): Phase[] {
  const saturateMs = quick ? 1000 : 3000;
  const singleMs = quick ? 700 : 2000;
  const short = { promptBytes: SHORT_PROMPT_BYTES };
  return [
    { name: 'json', shape: 'json', connections: 32, durationMs: saturateMs, ...short },
    { name: 'sse', shape: 'sse', connections: 32, durationMs: saturateMs, ...short },
    { name: 'json-c1', shape: 'json', connections: 1, durationMs: singleMs, ...short },
    {
      name: 'large-c1',
      shape: 'json',
      connections: 1,
      durationMs: singleMs,
      promptBytes: LARGE_PROMPT_BYTES,
    },
    { name: 'paced', shape: 'paced', connections: 256, durationMs: quick ? 1000 : 3000, ...short },
  ];
}

export interface Measure {
  target: string;
  phase: Phase['name'];
  round: number;
  load: LoadResult;
  /** CPU of the target for one finished request, all threads, what it puts off until there is less to do included. */
  cpuUsPerRequest: number | null;
  /** Share of one core the target used while there was load; well under 1 at saturation means the load side was the limit. */
  coreShare: number | null;
  rssMb: number | null;
  /** Cores that neither the target nor the benchmark used, or that other virtual machines took: the noise of the machine. */
  foreignCores: number | null;
}

/** CPU of the load generator and the mock, which is not noise. */
export interface Bystanders {
  pids: readonly number[];
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}

const QUIET_MS = 250;
const LONGEST_CATCH_UP_MS = 120_000;

/** Waits until the target does nothing any more. Asking it would make work, and start threads that answer. */
async function untilQuiet(pids: readonly number[]): Promise<void> {
  const endAt = performance.now() + LONGEST_CATCH_UP_MS;
  let before = sumOf(pids, cpuMs);
  while (performance.now() < endAt) {
    await sleep(QUIET_MS);
    const after = sumOf(pids, cpuMs);
    if ((difference(after, before) ?? 0) <= 2 * MS_PER_TICK) return;
    before = after;
  }
}

/**
 * Runs one phase against one target, and lets that catch up where others are measured next: nothing of it is left to
 * run beside them.
 */
export async function measure(
  load: ChildProcess,
  target: Target,
  phase: Phase,
  context: { round: number; bystanders: Bystanders; catchUp: boolean },
): Promise<Measure> {
  const pids = target.pids();
  const own = [...context.bystanders.pids, process.pid];
  const before = { target: sumOf(pids, cpuMs), own: sumOf(own, cpuMs), machine: machineCpuMs() };
  const startedAt = performance.now();
  const reply = nextMessage<{ result?: LoadResult; error?: string }>(load);
  const job: LoadJob = { ...phase, port: target.port, key: target.key };
  load.send(job);
  const { result, error } = await reply;
  if (!result) throw new Error(`the load on ${target.name} failed: ${error}`);
  const elapsedMs = performance.now() - startedAt;
  const targetMs = pids.length === 0 ? null : difference(sumOf(pids, cpuMs), before.target);
  const ownMs = difference(sumOf(own, cpuMs), before.own);
  const machineMs = difference(machineCpuMs(), before.machine);
  const finished = result.completed + result.altered;
  if (context.catchUp) await untilQuiet(pids);
  const wholeMs = pids.length === 0 ? null : difference(sumOf(pids, cpuMs), before.target);
  return {
    target: target.name,
    phase: phase.name,
    round: context.round,
    load: result,
    cpuUsPerRequest: wholeMs === null || finished === 0 ? null : (wholeMs * 1000) / finished,
    coreShare: targetMs === null ? null : targetMs / elapsedMs,
    rssMb: pids.length === 0 ? null : sumOf(pids, rssMb),
    foreignCores:
      machineMs === null || ownMs === null
        ? null
        : Math.max(0, (machineMs - ownMs - (targetMs ?? 0)) / elapsedMs),
  };
}
