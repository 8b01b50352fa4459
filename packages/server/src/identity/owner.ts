import { setupRequest } from '@tallygate/contract/api/auth';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Secret } from '../kernel/secret.ts';
import type { IdentityStore, UserRow } from '../store/store.ts';
import type { PasswordHasher } from './password-hash.ts';
import { assertStrongPassword } from './password-rules.ts';
import type { SetupCode } from './setup-code.ts';

export interface OwnerParts {
  store: IdentityStore;
  clock: Clock;
  newId: IdSource;
  hasher: PasswordHasher;
  /** Whoever owns it owns the installation. */
  firstWorkspaceId: string;
}

async function newOwner(parts: OwnerParts, username: string, password: string): Promise<UserRow> {
  return {
    id: parts.newId(),
    username,
    passwordHash: await parts.hasher.hash(password),
    createdAtMs: parts.clock.now(),
    disabledAtMs: null,
  };
}

const insertOwner = ({ store, firstWorkspaceId }: OwnerParts, owner: UserRow): Promise<boolean> =>
  store.insertFirstUser(owner, { workspaceId: firstWorkspaceId, role: 'owner' });

/**
 * Creates the owner with the one-time code of this start. Of two set-ups at once one wins.
 * @throws AppError `setup_done`, `setup_code_invalid` or `weak_password`; a failed try does not use the code up
 */
export async function setUpOwner(
  parts: OwnerParts & { setup: SetupCode },
  input: { code: string; username: string; password: string },
): Promise<UserRow> {
  if ((await parts.store.countUsers()) > 0) throw new AppError('setup_done');
  if (!parts.setup.take(input.code)) throw new AppError('setup_code_invalid');
  try {
    assertStrongPassword(input.password, input.username);
    const owner = await newOwner(parts, input.username, input.password);
    if (!(await insertOwner(parts, owner))) throw new AppError('setup_done');
    parts.setup.finish();
    return owner;
  } finally {
    parts.setup.release();
  }
}

/** `ignored`: an owner exists, so the two settings do nothing any more; say so. */
export type SeedOutcome = 'created' | 'ignored';

/**
 * Seeds the owner of a headless first run from DASHBOARD_USERNAME and DASHBOARD_PASSWORD (TW-03). Once an owner
 * exists it changes nothing, not even with a different password.
 * @throws AppError `weak_password`, or `invalid_request` for a user name that set-up would refuse
 */
export async function seedOwner(
  parts: OwnerParts,
  seed: { username: string; password: Secret },
): Promise<SeedOutcome> {
  if ((await parts.store.countUsers()) > 0) return 'ignored';
  const username = setupRequest.shape.username.safeParse(seed.username);
  if (!username.success) {
    throw new AppError('invalid_request', {
      detail: 'DASHBOARD_USERNAME may have letters, digits and . _ @ + - (at most 64).',
    });
  }
  assertStrongPassword(seed.password.reveal(), username.data);
  const owner = await newOwner(parts, username.data, seed.password.reveal());
  return (await insertOwner(parts, owner)) ? 'created' : 'ignored';
}
