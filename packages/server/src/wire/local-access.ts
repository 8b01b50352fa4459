import { randomBytes } from 'node:crypto';
import type { SystemView } from '@tallygate/contract/api/system';
import type { Config } from '../config/settings.ts';
import { sha256Hex } from '../identity/token.ts';
import type { ApiKeyRow } from '../store/store.ts';
import type { Base } from './base.ts';
import { isLoopback } from './listen.ts';
import { StartError } from './start-error.ts';

type Warning = SystemView['warnings'][number];

/** What makes local work easier and is dangerous elsewhere; in force until the server stops. */
export interface LocalAccess {
  /** Key that stands for callers without one (NX-02); null when every caller needs a key. */
  openKeyId: string | null;
  /** Shown at the start and for as long as the server runs. */
  warnings: readonly Warning[];
  /** Shown at the start. */
  notices: readonly string[];
}

/** For a command line that opens the store itself: nobody calls it. */
export const NO_LOCAL_ACCESS: LocalAccess = { openKeyId: null, warnings: [], notices: [] };

/**
 * Without keys whoever reaches the port spends the money, so it may be reached from this machine only (NX-02).
 * @throws StartError
 */
export function assertOpenOnLoopbackOnly(config: Config): void {
  if (config.enableClientAuth || isLoopback(config.host)) return;
  throw new StartError(
    `Refusing to listen on ${config.host} without client authentication: anybody who reaches it could spend your money. ` +
      'Remove ENABLE_CLIENT_AUTH=false and give clients API keys, or leave HOST at 127.0.0.1.',
  );
}

/** A row for a key that nobody issued: its requests are booked on it like on any other. */
function localKey(
  base: Base,
  ground: { workspaceId: string; projectId: string },
  key: Pick<ApiKeyRow, 'name' | 'prefix' | 'keyHash' | 'scopes' | 'kind'>,
): ApiKeyRow {
  return {
    ...key,
    id: base.newId(),
    workspaceId: ground.workspaceId,
    projectId: ground.projectId,
    createdAtMs: base.clock.now(),
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
    restrictions: null,
    rotatedAtMs: null,
    previous: null,
    userId: null,
  };
}

/** The key in the environment, when this start is to take it (TW-06). */
function offeredKey(config: Config, keys: readonly ApiKeyRow[], notices: string[]): string | null {
  if (config.apiKey === null) return null;
  const keyHash = sha256Hex(config.apiKey.reveal());
  // A developer's shell holds the key of a client: that is an issued key, and works as one.
  if (keys.some((key) => key.kind === 'issued' && [key.keyHash, key.previous?.keyHash].includes(keyHash))) {
    return null;
  }
  if (config.nodeEnv === 'production' && !config.allowEnvironmentKey) {
    notices.push(
      'TALLYGATE_API_KEY is not taken as a key, because NODE_ENV is production. Create a key instead, or set TALLYGATE_ALLOW_ENVIRONMENT_KEY=true.',
    );
    return null;
  }
  return keyHash;
}

interface Settled {
  base: Base;
  keys: readonly ApiKeyRow[];
  ground: { workspaceId: string; projectId: string };
}

/** Ends the keys of this kind that are not in use any more; they stay listed, for what was booked on them. */
async function endOthers(
  { base, keys }: Settled,
  kind: ApiKeyRow['kind'],
  kept: string | null,
): Promise<void> {
  for (const key of keys) {
    if (key.kind !== kind || key.id === kept || key.expiresAtMs !== null) continue;
    await base.store.config.updateKey(key, { expiresAtMs: base.clock.now() });
  }
}

async function settleEnvironmentKey(settled: Settled, warnings: Warning[], notices: string[]): Promise<void> {
  const { base, keys, ground } = settled;
  const keyHash = offeredKey(base.config, keys, notices);
  const known = keys.find((key) => key.kind === 'environment' && key.keyHash === keyHash);
  await endOthers(settled, 'environment', known?.id ?? null);
  if (keyHash === null) return;
  if (known !== undefined && known.revokedAtMs !== null) {
    notices.push('TALLYGATE_API_KEY was revoked and stays so: set another value, or unset it.');
    return;
  }
  if (known !== undefined) await base.store.config.updateKey(known, { expiresAtMs: null });
  else {
    const scopes: ApiKeyRow['scopes'] = ['gateway', 'ingest', 'read'];
    const named = { name: 'Environment key', prefix: 'environment', keyHash, scopes };
    await base.store.config.insertKey(localKey(base, ground, { ...named, kind: 'environment' }));
  }
  warnings.push({
    code: 'environment_key',
    message:
      'The API key from TALLYGATE_API_KEY is in use. It is for local work: give clients keys of their own and unset it.',
  });
}

async function settleOpenKey(settled: Settled, warnings: Warning[]): Promise<string | null> {
  const { base, keys, ground } = settled;
  if (base.config.enableClientAuth) {
    await endOthers(settled, 'open', null);
    return null;
  }
  warnings.push({
    code: 'client_auth_off',
    message:
      'Client authentication is OFF: every program on this machine can send requests and spend money. Remove ENABLE_CLIENT_AUTH=false to turn it on.',
  });
  const known = keys.find((key) => key.kind === 'open' && key.revokedAtMs === null);
  if (known !== undefined) {
    await base.store.config.updateKey(known, { expiresAtMs: null });
    return known.id;
  }
  const keyHash = randomBytes(32).toString('hex'); // the hash of nothing anybody can send
  const named = { name: 'Without a key', prefix: 'none', keyHash, scopes: ['gateway' as const] };
  const row = localKey(base, ground, { ...named, kind: 'open' });
  await base.store.config.insertKey(row);
  return row.id;
}

/** Puts the keys that stand in no list of issued ones into the store, or ends those of an earlier start. */
export async function openLocalAccess(base: Base, workspaceId: string): Promise<LocalAccess> {
  const { config } = base.store;
  const keys = await config.listKeys(null);
  const project = (await config.listProjects(workspaceId)).find(({ slug }) => slug === 'default');
  const settled = { base, keys, ground: { workspaceId, projectId: project?.id ?? '' } };
  const warnings: Warning[] = [];
  const notices: string[] = [];
  await settleEnvironmentKey(settled, warnings, notices);
  const openKeyId = await settleOpenKey(settled, warnings);
  for (const { code, message } of warnings) base.logger.warn(message, { code });
  return { openKeyId, warnings, notices };
}
