import {
  CredentialFolderError,
  fingerprintOf,
  readCredentialFiles,
} from '../admin/credential-files/read-credential-files.ts';
import { type SyncDeps, syncCredentialFiles } from '../admin/credential-files/sync-credential-files.ts';
import { ADAPTERS } from './adapters.ts';
import { systemAct } from './audit-events.ts';
import type { Core } from './core.ts';
import { oauthDefaults } from './oauth.ts';
import { StartError } from './start-error.ts';

/** Well below the second within which a changed file has to be in use (NX-04). */
const LOOK_EVERY_MS = 300;

/** What credential files say about host names, for the snapshots. */
export interface DomainHolder {
  current: ReadonlyMap<string, string> | null;
  /** What is wrong with files now. */
  problems: readonly string[];
}

function syncDeps(core: Core): SyncDeps {
  const { store, vault, clock, newId, egressPolicy, pooling, config } = core;
  return {
    store,
    vault,
    clock,
    newId,
    egressPolicy,
    providers: ADAPTERS,
    accountState: (id) => pooling.states.of(id),
    oauth: { defaults: oauthDefaults(config) },
  };
}

/** Reads the folder and puts what it says to use. */
async function takeIn(core: Core, dir: string): Promise<void> {
  const { domains, logger, snapshot, store, clock } = core;
  const synced = await syncCredentialFiles(syncDeps(core), await readCredentialFiles(dir));
  for (const problem of synced.problems)
    if (!domains.problems.includes(problem))
      logger.warn('a credential file is not used', { reason: problem });
  domains.problems = synced.problems;
  domains.current = synced.domains.size === 0 ? null : synced.domains;
  await snapshot.refresh();
  for (const domain of synced.changed) {
    const changes = [{ field: 'domain', before: null, after: domain }];
    await store.audit.append(systemAct(clock.now(), 'credential_file.taken_over', { changes }));
  }
}

/**
 * Takes over the credential files, where there is a folder of them, and watches it. A file that may not be used at the
 * start ends the start, with the command that helps; later it only warns, and what it said before stays.
 * @returns stops watching
 * @throws StartError
 */
export async function openCredentialFiles(core: Core): Promise<() => Promise<void>> {
  const { credentialsDir: dir } = core.config;
  if (dir === null) return async () => undefined;
  let seen = await fingerprintOf(dir);
  try {
    await takeIn(core, dir);
  } catch (error) {
    if (error instanceof CredentialFolderError) throw new StartError(error.message, { cause: error });
    throw error;
  }
  const [problem] = core.domains.problems;
  if (problem !== undefined) throw new StartError(`A credential file cannot be used: ${problem}`);

  let running: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const now = await fingerprintOf(dir);
    if (now === seen) return;
    seen = now;
    await takeIn(core, dir);
  };
  const timer = setInterval(() => {
    running ??= look()
      .catch((error: unknown) => {
        const reason = error instanceof CredentialFolderError ? error.message : 'the store did not take them';
        core.logger.warn('credential files could not be read; what they said before stays', {
          reason,
          error,
        });
        if (!(error instanceof CredentialFolderError)) seen = ''; // tried again
      })
      .finally(() => {
        running = null;
      });
  }, LOOK_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
