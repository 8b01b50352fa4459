import { AppError } from '../kernel/errors.ts';

/** Runs one piece of heavy work at a time; a second one is refused rather than queued. @throws AppError `conflict` */
export function createSingleFlight(what: string): <T>(work: () => Promise<T>) => Promise<T> {
  let running = false;
  return async (work) => {
    if (running) {
      throw new AppError('conflict', { detail: `${what} is running already. Wait until it has finished.` });
    }
    running = true;
    try {
      return await work();
    } finally {
      running = false;
    }
  };
}
