import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { IdSource } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import type { EntryLinkRow } from '../store/ports/people.ts';
import type { Store, UserRow } from '../store/store.ts';
import type { PasswordHasher } from './password-hash.ts';
import { assertStrongPassword } from './password-rules.ts';
import { type RandomBytes, randomToken, sha256Hex } from './token.ts';

export interface EntryLinkParts {
  store: Pick<Store, 'people' | 'identity'>;
  clock: Clock;
  newId: IdSource;
  randomBytes: RandomBytes;
  hasher: PasswordHasher;
}

/** What a link is for: a role for somebody new, or a password for somebody who is there. */
export type LinkPurpose = { workspaceId: string; role: string; note: string | null } | { userId: string };

/** Makes a one-time link. Its code leaves here once; only the hash is stored. */
export async function makeEntryLink(
  parts: EntryLinkParts,
  purpose: LinkPurpose,
  terms: { createdBy: string | null; lifetimeMs: number },
): Promise<{ row: EntryLinkRow; code: Secret }> {
  const nowMs = parts.clock.now();
  const code = randomToken(parts.randomBytes);
  const row: EntryLinkRow = {
    id: parts.newId(),
    codeHash: sha256Hex(code),
    workspaceId: 'role' in purpose ? purpose.workspaceId : null,
    role: 'role' in purpose ? purpose.role : null,
    userId: 'userId' in purpose ? purpose.userId : null,
    note: 'role' in purpose ? purpose.note : null,
    createdBy: terms.createdBy,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + terms.lifetimeMs,
  };
  await parts.store.people.deleteExpiredLinks(nowMs);
  await parts.store.people.insertLink(row);
  return { row, code: new Secret(code) };
}

/**
 * The link of a code, and the user it is about.
 * @throws AppError `link_invalid` when it is unknown, used or expired
 */
export async function findEntryLink(
  parts: Pick<EntryLinkParts, 'store' | 'clock'>,
  code: string,
): Promise<{ link: EntryLinkRow; user: UserRow | null }> {
  const link = await parts.store.people.findLink(sha256Hex(code), parts.clock.now());
  if (link === null) throw new AppError('link_invalid');
  if (link.userId === null) return { link, user: null };
  const user = await parts.store.identity.findUser(link.userId);
  if (user === null || user.disabledAtMs !== null) throw new AppError('link_invalid');
  return { link, user };
}

/**
 * Uses a link up: makes the user, or sets the new password and ends the user's sessions. Of two at once one wins;
 * a refused password or name leaves the link as it was.
 * @throws AppError `link_invalid`, `weak_password`, `name_taken`, or `invalid_request` without a name
 */
export async function acceptEntryLink(
  parts: EntryLinkParts,
  input: { code: string; username?: string | undefined; password: string },
): Promise<UserRow> {
  const { link, user } = await findEntryLink(parts, input.code);
  const username = user?.username ?? input.username;
  if (username === undefined) {
    throw new AppError('invalid_request', { detail: 'The invitation needs a user name in "username".' });
  }
  assertStrongPassword(input.password, username);
  const passwordHash = await parts.hasher.hash(input.password);
  if (user !== null) {
    if (!(await parts.store.people.acceptNewPassword(link.id, user.id, passwordHash))) {
      throw new AppError('link_invalid');
    }
    return { ...user, passwordHash };
  }
  const created: UserRow = {
    id: parts.newId(),
    username,
    passwordHash,
    createdAtMs: parts.clock.now(),
    disabledAtMs: null,
  };
  if (!(await parts.store.people.acceptInvitation(link.id, created))) throw new AppError('link_invalid');
  return created;
}
