import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lowers the scheduling priority of the calling thread, so that background work gives way to the event loop when
 * both want the same core. Linux keeps a nice value for each thread (sched(7)); elsewhere this does nothing.
 * @param nice 0 (normal) to 19 (least)
 */
export function lowerThreadPriority(nice: number): void {
  try {
    // "PID/task/TID": setpriority(2) takes a thread id where one is meant.
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isInteger(threadId) && threadId > 0) setPriority(threadId, nice);
  } catch {
    // Not Linux, or not permitted: the work is the same, only its order is left to the system.
  }
}
