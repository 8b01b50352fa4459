import { setFlagsFromString } from 'node:v8';

/** Megabytes. The flag that bounds the main thread's young generation holds for threads too and wins over their own limits. */
const THREAD_SEMI_SPACE_MB = 2;

/**
 * From now on threads start with a small young generation: they carry batches, which live as long in a small one as in
 * a large. V8 reads the flag when it makes a heap, so the main thread keeps what it was started with.
 */
export function boundThreadHeaps(): void {
  setFlagsFromString(`--max-semi-space-size=${THREAD_SEMI_SPACE_MB}`);
}

/**
 * From now on each thread empties its young generation alone. Little survives in it here: a thread is through before a
 * helper has woken up, and the helper's turn on a core is one that requests wait for.
 */
export function scavengeAlone(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
