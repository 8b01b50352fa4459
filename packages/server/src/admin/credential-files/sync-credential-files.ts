import { createHash } from 'node:crypto';
import type { OauthClient } from '@tallygate/contract/api/oauth';
import type { CredentialFile } from '@tallygate/contract/credential-file';
import { DEFAULT_PROJECT_SLUG } from '../../identity/key-lookup.ts';
import { sha256Hex } from '../../identity/token.ts';
import { AppError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import type { AccountRow } from '../../store/store.ts';
import { newAccount } from '../accounts/routes.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { importClient } from '../imports/import-client.ts';
import { importedId } from '../imports/imported-id.ts';
import { providerOf } from '../imports/provider-of.ts';
import { toOauthRow } from '../oauth/oauth-rows.ts';
import { ensureProject, newProject } from '../projects/project-access.ts';
import type { FoundFile } from './read-credential-files.ts';

export type SyncDeps = Pick<
  AdminDeps,
  'store' | 'vault' | 'clock' | 'newId' | 'providers' | 'egressPolicy' | 'accountState'
> & { oauth: Pick<AdminDeps['oauth'], 'defaults'> };

/** What the folder holds now. */
export interface SyncedFiles {
  /** Workspace of each domain that is served. */
  domains: Map<string, string>;
  /** What is wrong with files, in words that quote nothing of them. */
  problems: string[];
  /** Domains whose account or key changed. */
  changed: string[];
}

const SETTING = 'credential_files';
const WIRE_FORMAT = 'anthropic.messages';
const MIN_KEY_CHARS = 20;
const idOf = (kind: 'workspace' | 'account' | 'key', domain: string): string =>
  importedId({ source: 'credential-file', workspaceId: null }, kind, domain);

/** Hashes of the files that were taken over, by domain. */
async function readKnown(deps: SyncDeps): Promise<Map<string, string>> {
  const text = await deps.store.config.getSetting(SETTING);
  return new Map(Object.entries(text === null ? {} : (JSON.parse(text) as Record<string, string>)));
}

/** The workspace of the domain: what is asked for with its key sees nothing of another domain's. */
async function ensureWorkspace(deps: SyncDeps, domain: string): Promise<string> {
  const id = idOf('workspace', domain);
  const known = await deps.store.config.listWorkspaces();
  if (known.some((row) => row.id === id)) return id;
  const plain =
    domain
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 50) || 'domain';
  // Different domains may look alike once they are written as a slug; they never share a workspace.
  const slug = known.some((row) => row.slug === plain) ? `${plain}-${id.slice(0, 8)}` : plain;
  const project = { ...newProject(deps, id, DEFAULT_PROJECT_SLUG), name: 'Default' };
  await deps.store.config.insertWorkspace(
    { id, slug, name: domain.slice(0, 100), allowedAddresses: [], createdAtMs: deps.clock.now() },
    project,
  );
  return id;
}

async function putAccount(
  deps: SyncDeps,
  domain: string,
  { file, workspaceId, client }: { file: CredentialFile; workspaceId: string; client: OauthClient | null },
): Promise<void> {
  const { store, vault, clock } = deps;
  const id = idOf('account', domain);
  const input = {
    provider: providerOf(deps, WIRE_FORMAT),
    name: (file.accountId ?? domain).slice(0, 100),
    ...(file.type === 'api_key' ? { apiKey: file.api_key } : {}),
    ...(file.baseUrl === undefined ? {} : { baseUrl: file.baseUrl }),
    ...(file.allowPrivateUpstream === undefined ? {} : { allowPrivateUpstream: file.allowPrivateUpstream }),
  };
  const row: AccountRow = newAccount({ ...deps, newId: () => id }, workspaceId, input, file.type === 'oauth');
  const before = (await store.config.listAccounts(workspaceId)).find((account) => account.id === id);
  const wasOauth = (await store.oauth.findAccountOauth(id)) !== null;
  // An account that changes its kind begins anew; its past stays in the ledger.
  if (before !== undefined && wasOauth !== (file.type === 'oauth'))
    await store.config.deleteAccount({ id, workspaceId });
  if (before === undefined || wasOauth !== (file.type === 'oauth')) await store.config.insertAccount(row);
  else {
    const { name, baseUrl, sealedCredential, credentialHint, allowPrivateUpstream } = row;
    const change = { name, baseUrl, sealedCredential, credentialHint, allowPrivateUpstream, paused: false };
    await store.config.updateAccount({ id, workspaceId }, change);
  }
  if (file.type === 'oauth' && client !== null) {
    const { accessToken, refreshToken, expiresAt } = file.oauth;
    const nowMs = clock.now();
    const tokens = {
      client,
      accessToken: new Secret(accessToken ?? 'none'),
      refreshToken: new Secret(refreshToken),
      clientSecret: null,
      obtainedAtMs: nowMs,
      // Without a token the first request renews: this one has ended already.
      expiresAtMs: accessToken == null ? nowMs : (expiresAt ?? nowMs),
      reauthReason: null,
    };
    await store.oauth.putAccountOauth(toOauthRow(id, tokens, vault));
  }
  deps.accountState(id).reset();
}

/** The key of the domain's clients: a new one replaces the old one at once, none ends it. */
async function putKey(
  deps: SyncDeps,
  domain: string,
  { workspaceId, key }: { workspaceId: string; key: string | null },
): Promise<void> {
  const { config } = deps.store;
  const id = idOf('key', domain);
  const all = await config.listKeys(null);
  const before = all.find((row) => row.id === id) ?? null;
  const nowMs = deps.clock.now();
  if (key === null) {
    if (before !== null) await config.updateKey({ id, workspaceId }, { revokedAtMs: nowMs });
    return;
  }
  const keyHash = sha256Hex(key);
  if (all.some((row) => row.keyHash === keyHash && row.id !== id)) {
    throw new AppError('name_taken', { detail: 'its client_api_key is that of another key' });
  }
  const prefix = key.slice(0, 10);
  if (before !== null) {
    if (before.keyHash !== keyHash) {
      const rotated = { keyHash, prefix, rotatedAtMs: nowMs, previous: null };
      await config.rotateKey({ id, workspaceId }, before.keyHash, rotated);
    }
    await config.updateKey({ id, workspaceId }, { revokedAtMs: null });
    return;
  }
  const { id: projectId } = await ensureProject(deps, workspaceId, DEFAULT_PROJECT_SLUG);
  await config.insertKey({
    id,
    workspaceId,
    projectId,
    userId: null,
    name: domain.slice(0, 100),
    prefix,
    keyHash,
    scopes: ['gateway'],
    createdAtMs: nowMs,
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
    kind: 'issued',
    restrictions: null,
    rotatedAtMs: null,
    previous: null,
  });
}

/** What speaks against a file that can be read. */
function objection(file: CredentialFile, client: OauthClient | null): string | null {
  if (file.type === 'oauth' && client === null) {
    return 'signs in with OAuth: set TALLYGATE_OAUTH_ACCOUNTS=true, TALLYGATE_OAUTH_TOKEN_URL and TALLYGATE_OAUTH_CLIENT_ID';
  }
  const key = file.client_api_key;
  return key !== undefined && key.length < MIN_KEY_CHARS
    ? `has a client_api_key of fewer than ${MIN_KEY_CHARS} characters`
    : null;
}

type ReadFile = Extract<FoundFile, { problem: null }>;

async function takeOver(
  deps: SyncDeps,
  { domain, file }: ReadFile,
  client: OauthClient | null,
): Promise<void> {
  const workspaceId = await ensureWorkspace(deps, domain);
  await putKey(deps, domain, { workspaceId, key: file.client_api_key ?? null });
  await putAccount(deps, domain, { file, workspaceId, client });
}

/** A domain whose file is gone: nothing is sent with its account, and its key ends. */
async function retire(deps: SyncDeps, domain: string): Promise<void> {
  const workspaceId = idOf('workspace', domain);
  await deps.store.config.updateAccount({ id: idOf('account', domain), workspaceId }, { paused: true });
  await putKey(deps, domain, { workspaceId, key: null });
}

/** Why a file is not taken over; null when it may be. `sharedBy` remembers which domain has an OAuth account. */
function refusalOf(
  { domain, file }: ReadFile,
  client: OauthClient | null,
  sharedBy: Map<string, string>,
): string | null {
  const account = file.type === 'oauth' ? (file.accountId ?? null) : null;
  const other = account === null ? undefined : sharedBy.get(account);
  if (other !== undefined) return `shares its OAuth account with ${other}: a refresh token serves one domain`;
  if (account !== null) sharedBy.set(account, domain);
  return objection(file, client);
}

/** Takes over one file if it changed. @returns what is wrong with it */
async function syncOne(
  deps: SyncDeps,
  one: ReadFile,
  { known, client, synced }: { known: Map<string, string>; client: OauthClient | null; synced: SyncedFiles },
): Promise<string | null> {
  const hash = createHash('sha256').update(one.text).digest('hex');
  if (known.get(one.domain) === hash) return null;
  try {
    await takeOver(deps, one, client);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${one.path}: ${error.message}`;
  }
  known.set(one.domain, hash);
  synced.changed.push(one.domain);
  return null;
}

/**
 * Makes the store hold what the files say: for each domain a workspace with its account and its clients' key. What a
 * file said last stays while it cannot be read; a file that is gone ends its domain. Only files that changed since they
 * were taken over are looked at, so that tokens which were renewed meanwhile stay.
 */
export async function syncCredentialFiles(deps: SyncDeps, found: readonly FoundFile[]): Promise<SyncedFiles> {
  const known = await readKnown(deps);
  const client = importClient(deps);
  const synced: SyncedFiles = { domains: new Map(), problems: [], changed: [] };
  const sharedBy = new Map<string, string>();
  for (const one of found) {
    let problem = one.problem;
    if (one.problem === null) {
      const refusal = refusalOf(one, client, sharedBy);
      problem =
        refusal === null ? await syncOne(deps, one, { known, client, synced }) : `${one.path} ${refusal}`;
    }
    if (problem !== null) synced.problems.push(problem);
    if (known.has(one.domain)) synced.domains.set(one.domain, idOf('workspace', one.domain));
  }
  const present = new Set(found.map(({ domain }) => domain));
  for (const domain of [...known.keys()].filter((name) => !present.has(name))) {
    await retire(deps, domain);
    known.delete(domain);
    synced.changed.push(domain);
  }
  if (synced.changed.length > 0)
    await deps.store.config.setSetting(SETTING, JSON.stringify(Object.fromEntries(known)));
  return synced;
}
