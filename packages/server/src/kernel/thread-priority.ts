import { readFileSync, readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** The nice value of least priority; steps beyond it are cut. */
export const LEAST_PRIORITY = 19;

/**
 * Lowers the scheduling priority of the calling thread, so that background work gives way to the event loop when
 * both want the same core. Linux keeps a nice value for each thread (sched(7)); elsewhere this does nothing.
 * @param steps how far below what it has: a program that was started with little priority keeps even less
 */
export function lowerThreadPriority(steps: number): void {
  try {
    // "PID/task/TID": setpriority(2) takes a thread id where one is meant.
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (!Number.isInteger(threadId) || threadId <= 0) return;
    setPriority(threadId, Math.min(LEAST_PRIORITY, getPriority(threadId) + steps));
  } catch {
    // Not Linux, or not permitted: the work is the same, only its order is left to the system.
  }
}

/**
 * How long the calling thread has waited for a core since it started, in milliseconds, by Linux's own account
 * (`/proc/PID/schedstat`).
 * @returns null elsewhere
 */
export function threadWaitMs(): number | null {
  try {
    const [, waitedNs] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return null;
  }
}
