import type {
  ApiKeyCreated,
  ApiKeyView,
  KeyRestrictions,
  keyCreateRequest,
  keyRotateRequest,
  keyUpdateRequest,
} from '@tallygate/contract/api/keys';
import type { z } from 'zod';
import { DEFAULT_PROJECT_SLUG } from '../../identity/key-lookup.ts';
import { assertHolds, keyCredential, permissionsOfScopes } from '../../identity/principal.ts';
import { createApiKey } from '../../identity/token.ts';
import { AppError } from '../../kernel/errors.ts';
import type { ApiKeyRow } from '../../store/store.ts';
import type { AdminContext } from '../admin-deps.ts';
import { toMs } from '../instant.ts';
import { invalidInput } from '../parse-input.ts';
import { ensureProject } from '../projects/project-access.ts';
import type { RawCall } from '../route.ts';
import { loadUserNames } from '../user-names.ts';
import { oneKeyView } from './key-view.ts';

/** Whoever acts, where, and the record of it. */
type Actor = Pick<RawCall, 'principal' | 'workspaceId' | 'audit'>;

/** @throws AppError `resource_not_found` */
async function keyRow(context: AdminContext, workspaceId: string, id: string): Promise<ApiKeyRow> {
  const row = (await context.store.config.listKeys(workspaceId)).find((candidate) => candidate.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

/** Null when nothing is limited. @throws AppError `invalid_request` for a provider this program does not know */
function checkedRestrictions(
  context: AdminContext,
  given: KeyRestrictions | undefined,
): KeyRestrictions | null {
  if (given === undefined || Object.values(given).every((list) => list.length === 0)) return null;
  const known = new Set(
    context.providers.flatMap(({ id, presets }) => [id, ...presets.map((preset) => preset.id)]),
  );
  given.providers.forEach((name, index) => {
    if (known.has(name)) return;
    const message = `must be one of ${[...known].join(', ')}`;
    throw invalidInput([{ in: 'body', path: `restrictions.providers.${index}`, message }]);
  });
  return given;
}

/** @throws AppError `invalid_request` when there is no such person */
async function ownerId(context: AdminContext, workspaceId: string, nameOrId: string): Promise<string> {
  const id = (await loadUserNames(context.store.people, workspaceId)).idOf(nameOrId);
  if (id !== null) return id;
  throw invalidInput([{ in: 'body', path: 'user', message: 'there is no user with that name or id' }]);
}

/** @throws AppError `invalid_request`, or `permission_denied` for a key that may do more than its maker */
export async function createKey(
  context: AdminContext,
  body: z.output<typeof keyCreateRequest>,
  { principal, workspaceId, audit }: Actor,
): Promise<ApiKeyCreated> {
  const first = workspaceId === context.firstWorkspaceId;
  assertHolds(principal, permissionsOfScopes(body.scopes, first), 'such a key');
  const nowMs = context.clock.now();
  const expiresAtMs = body.expiresAt === undefined ? null : toMs(body.expiresAt);
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    throw invalidInput([{ in: 'body', path: 'expiresAt', message: 'must be in the future' }]);
  }
  const restrictions = checkedRestrictions(context, body.restrictions);
  const project = await ensureProject(context, workspaceId, body.project ?? DEFAULT_PROJECT_SLUG);
  const userId = body.user === undefined ? null : await ownerId(context, workspaceId, body.user);
  const { key, prefix, hash } = createApiKey(context.randomBytes);
  const row: ApiKeyRow = {
    id: context.newId(),
    workspaceId,
    projectId: project.id,
    userId,
    name: body.name,
    prefix,
    keyHash: hash,
    scopes: [...new Set(body.scopes)],
    createdAtMs: nowMs,
    expiresAtMs,
    revokedAtMs: null,
    lastUsedAtMs: null,
    kind: 'issued',
    restrictions,
    rotatedAtMs: null,
    previous: null,
  };
  audit.changed('api_key', row.id, { after: row });
  await context.store.config.insertKey(row);
  await context.refreshSnapshot();
  return { ...(await oneKeyView(context, row)), key: key.reveal() };
}

/** @throws AppError `resource_not_found` or `invalid_request` */
export async function updateKey(
  context: AdminContext,
  id: string,
  { name, user, restrictions }: z.output<typeof keyUpdateRequest>,
  { workspaceId, audit }: Actor,
): Promise<ApiKeyView> {
  const before = await keyRow(context, workspaceId, id);
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(user === undefined
      ? {}
      : { userId: user === null ? null : await ownerId(context, workspaceId, user) }),
    ...(restrictions === undefined ? {} : { restrictions: checkedRestrictions(context, restrictions) }),
  };
  audit.changed('api_key', id, { before, after: { ...before, ...change } });
  if (!(await context.store.config.updateKey(before, change))) throw new AppError('resource_not_found');
  await context.refreshSnapshot();
  return oneKeyView(context, before);
}

/** Ends what the key has open: proxied calls and live views. */
function endAllOf(context: AdminContext, id: string): void {
  context.endCallsOf(id);
  context.endStreamsOf(keyCredential(id));
}

/** @throws AppError `resource_not_found` */
export async function revokeKey(
  context: AdminContext,
  id: string,
  { workspaceId, audit }: Actor,
): Promise<ApiKeyView> {
  const before = await keyRow(context, workspaceId, id);
  audit.about('api_key', id);
  if (before.revokedAtMs !== null) return oneKeyView(context, before);
  const revokedAtMs = context.clock.now();
  audit.changed('api_key', id, { before, after: { ...before, revokedAtMs } });
  await context.store.config.updateKey(before, { revokedAtMs });
  await context.refreshSnapshot();
  endAllOf(context, id);
  return oneKeyView(context, before);
}

/** @throws AppError `conflict` when there is nothing to rotate, or two old secrets would be good at once */
function assertRotatable(row: ApiKeyRow, overlapSeconds: number, nowMs: number): void {
  const refuse = (detail: string): never => {
    throw new AppError('conflict', { detail });
  };
  if (row.revokedAtMs !== null) refuse('This key was revoked. Create a new one.');
  if (row.expiresAtMs !== null && row.expiresAtMs <= nowMs) refuse('This key has expired. Create a new one.');
  if (row.kind !== 'issued') {
    refuse('This key does not come from here: change the setting it comes from and start the server again.');
  }
  if (overlapSeconds > 0 && row.previous !== null && row.previous.expiresAtMs > nowMs) {
    const until = new Date(row.previous.expiresAtMs).toISOString();
    refuse(
      `The secret before this one still works until ${until}. Wait until then, or rotate without overlap, which ends both old secrets at once.`,
    );
  }
}

/**
 * Gives a key another secret. With an overlap the old one works on until it ends; without, it fails at once and
 * what it has open is cut. For the ledger, limits and lists it is the same key.
 * @throws AppError `resource_not_found`, `conflict`, or `permission_denied` for a key that may do more than the caller
 */
export async function rotateKey(
  context: AdminContext,
  id: string,
  { overlapSeconds }: z.output<typeof keyRotateRequest>,
  { principal, workspaceId, audit }: Actor,
): Promise<ApiKeyCreated> {
  const nowMs = context.clock.now();
  const row = await keyRow(context, workspaceId, id);
  const first = workspaceId === context.firstWorkspaceId;
  assertHolds(principal, permissionsOfScopes(row.scopes, first), 'such a key'); // whoever rotates it gets to use it
  assertRotatable(row, overlapSeconds, nowMs);
  const { key, prefix, hash } = createApiKey(context.randomBytes);
  const expiresAtMs = nowMs + overlapSeconds * 1000;
  const previous = overlapSeconds === 0 ? null : { keyHash: row.keyHash, prefix: row.prefix, expiresAtMs };
  const change = { keyHash: hash, prefix, rotatedAtMs: nowMs, previous };
  audit.changed('api_key', id, { before: row, after: { ...row, ...change } });
  if (!(await context.store.config.rotateKey(row, row.keyHash, change))) {
    throw new AppError('conflict', { detail: 'Somebody else has just rotated or revoked this key.' });
  }
  await context.refreshSnapshot();
  if (previous === null) endAllOf(context, id);
  return { ...(await oneKeyView(context, row)), key: key.reveal() };
}
