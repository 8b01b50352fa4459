import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../../../launcher/build.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = ['--conditions=@tallygate/source', '--disable-warning=ExperimentalWarning'];

/**
 * Builds the program that the tests start, unless it is newer than its sources, and runs `warm-server.ts`, in a process that
 * finds the sources of the packages. That only saves time: where it cannot start a server, the tests say why.
 */
export async function setup(): Promise<void> {
  await ensureBuilt(ROOT, process.execPath, 'program');
  const script = fileURLToPath(new URL('./warm-server.ts', import.meta.url));
  const child = fork(script, { execArgv: SOURCES, stdio: 'ignore' });
  await once(child, 'exit');
}
