/** How the server's process is started, for the launcher and for everything that measures or tests what users run. */

/** node:sqlite still announces itself as experimental; it is a deliberate choice here. */
export const QUIET = '--disable-warning=ExperimentalWarning';

/**
 * A busy server's young generation grows to more than 100 MB when nothing bounds it (docs/performance.md). Threads
 * get less still: `kernel/thread-heaps.ts`. And of the four helpers that V8 takes by default, all mark the heap at
 * once: where cores are few they kept streams waiting for more than 100 ms. One does not.
 */
export const SERVER_FLAGS = ['--max-semi-space-size=16', '--v8-pool-size=1'];

/**
 * glibc gives every thread an arena and keeps what large buffers leave behind: a server with a few threads holds
 * tens of megabytes that way. Other C libraries ignore these.
 */
export const MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '262144',
};
