import type { Turns } from './job.ts';

/** Where no other process can use the store it is always this one's turn, and nothing has to be asked or written. */
export function soleTurns(): Turns {
  let running = false;
  return {
    current: () => (running ? { fence: null } : null),
    start(gained) {
      running = true;
      gained();
    },
    async stop() {
      running = false;
    },
  };
}
