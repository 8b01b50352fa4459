import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** The nice value of least priority; steps beyond it are cut. */
export const LEAST_PRIORITY = 19;
const OWN_TASKS = '/proc/self/task';
/** What V8's helpers are called by the Node that we run on. */
const HELPER_NAME = 'V8Worker';

/** setpriority(2) takes a thread id where one is meant. */
function setNice(threadId: number, nice: number): void {
  setPriority(threadId, Math.min(LEAST_PRIORITY, nice));
}

/**
 * Lowers the scheduling priority of the calling thread, so that background work gives way to the event loop when
 * both want the same core. Linux keeps a nice value for each thread (sched(7)); elsewhere this does nothing.
 * @param steps how far below what it has: a program that was started with little priority keeps even less
 */
export function lowerThreadPriority(steps: number): void {
  try {
    // "PID/task/TID"
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (!Number.isInteger(threadId) || threadId <= 0) return;
    setNice(threadId, getPriority(threadId) + steps);
  } catch {
    // Not Linux, or not permitted: the work is the same, only its order is left to the system.
  }
}

/**
 * The same for the threads on which V8 marks heaps and compiles for the whole process.
 * @param steps below the main thread, and few: it waits for them at the end of a collection, also where other
 * programs keep every core busy
 * @returns how many there were
 */
export function lowerHelperPriority(steps: number): number {
  let lowered = 0;
  try {
    // A process's id is that of its main thread.
    const nice = getPriority(process.pid) + steps;
    for (const task of readdirSync(OWN_TASKS)) {
      if (readFileSync(`${OWN_TASKS}/${task}/comm`, 'utf8').trim() !== HELPER_NAME) continue;
      setNice(Number(task), nice);
      lowered += 1;
    }
  } catch {
    // As above.
  }
  return lowered;
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
