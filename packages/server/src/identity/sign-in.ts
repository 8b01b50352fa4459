import { AppError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import type { IdentityStore } from '../store/store.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { PasswordHasher } from './password-hash.ts';
import type { LiveSession, SessionOrigin, Sessions } from './sessions.ts';

interface SignInParts {
  store: IdentityStore;
  hasher: PasswordHasher;
  throttle: LoginThrottle;
  sessions: Sessions;
}

/**
 * Checks name and password and starts a session. A wrong name and a wrong password give the same answer after
 * the same work.
 * @throws AppError `invalid_credentials`, `login_throttled`, or `setup_required` while nobody owns the installation
 */
export async function signIn(
  parts: SignInParts,
  input: { username: string; password: string },
  origin: SessionOrigin,
): Promise<{ token: Secret; session: LiveSession }> {
  parts.throttle.admit(input.username, origin.address);
  const user = await parts.store.findUserByName(input.username);
  const matches = await parts.hasher.verify(user?.passwordHash ?? null, input.password);
  if (!user || !matches) {
    if ((await parts.store.countUsers()) === 0) throw new AppError('setup_required');
    throw new AppError('invalid_credentials');
  }
  parts.throttle.succeeded(input.username, origin.address);
  return parts.sessions.start(user, origin);
}
