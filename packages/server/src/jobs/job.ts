import type { Fence } from '../store/ports/leases.ts';

/** Something that is done again and again, by one process for all that share the store. */
export interface Job {
  name: string;
  everyMs: number;
  run(turn: Turn): Promise<void>;
}

/** The right to do the jobs. */
export interface Turn {
  /** What every write of a job has to show; null where no other process can use the store. */
  fence: Fence | null;
}

/** Says whose turn it is. */
export interface Turns {
  /** Null while it is another process's. To be asked before each run, and answered from memory. */
  current(): Turn | null;
  /** @param gained called each time the turn comes to this process */
  start(gained: () => void): void;
  /** Passes the turn on at once. */
  stop(): Promise<void>;
}

/** Calls `run` once after so long, unless the returned function is called before. Keeps no process alive. */
export type After = (ms: number, run: () => void) => () => void;
