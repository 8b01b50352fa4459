import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SOURCES = ['--conditions=@tallygate/source', '--disable-warning=ExperimentalWarning'];

/**
 * Runs `warm-server.ts` before the tests, in a process that finds the sources of the packages, built or not. It only saves
 * time: where it cannot start a server, the tests say why.
 */
export async function setup(): Promise<void> {
  const script = fileURLToPath(new URL('./warm-server.ts', import.meta.url));
  const child = fork(script, { execArgv: SOURCES, stdio: 'ignore' });
  await once(child, 'exit');
}
