import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { SignInMethod, Store, UserRow } from '../store/store.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { PasskeyProof, Passkeys, ProofPurpose } from './passkeys.ts';
import { NO_PASSWORD, type PasswordHasher } from './password-hash.ts';
import type { RelyingParty } from './relying-party.ts';
import { isAppCode, type SecondFactor } from './second-factor.ts';
import type { LiveSession, SessionOrigin, Sessions, StartedSession } from './sessions.ts';

interface SignInParts {
  store: Store;
  hasher: PasswordHasher;
  throttle: LoginThrottle;
  sessions: Sessions;
  secondFactor: SecondFactor;
}

/**
 * Checks name and password and starts a session. A wrong name, a wrong password and a disabled user give the same
 * answer after the same work. Where there is a second factor, the session lets nothing through but its code.
 * @throws AppError `invalid_credentials`, `login_throttled`, or `setup_required` while nobody owns the installation
 */
export async function signIn(
  parts: SignInParts,
  input: { username: string; password: string },
  origin: SessionOrigin,
): Promise<StartedSession> {
  const { identity } = parts.store;
  parts.throttle.admit(input.username, origin.address);
  const user = await identity.findUserByName(input.username);
  const matches = await parts.hasher.verify(user?.passwordHash ?? null, input.password);
  if (!user || !matches || user.disabledAtMs !== null) {
    if ((await identity.countUsers()) === 0) throw new AppError('setup_required');
    throw new AppError('invalid_credentials');
  }
  parts.throttle.succeeded(input.username, origin.address);
  return startSession(parts, user, { origin, method: 'password' });
}

/** Starts the session that the password, or what came in its place, has earned. `settled`: no second factor is owed. */
export async function startSession(
  parts: Pick<SignInParts, 'sessions' | 'secondFactor'>,
  user: UserRow,
  { origin, method, settled = false }: { origin: SessionOrigin; method: SignInMethod; settled?: boolean },
): Promise<StartedSession> {
  const owed = settled ? [] : await parts.secondFactor.owed(user.id);
  return parts.sessions.start(user, origin, { secondFactor: owed.length > 0 ? 'owed' : 'settled', method });
}

/**
 * The second step: a good code replaces the session by a whole one.
 * @throws AppError `second_factor_invalid`, `login_throttled`, `session_required` when the tries are used up, or
 * `conflict` when nothing is owed
 */
export async function completeSignIn(
  parts: SignInParts,
  session: LiveSession,
  step: { code: string; origin: SessionOrigin },
): Promise<StartedSession> {
  const { user, row, stage } = session;
  if (stage !== 'second_factor') throw new AppError('conflict', { detail: 'You are signed in already.' });
  const kind = isAppCode(step.code) ? 'app' : 'recovery';
  parts.throttle.admitCode(user.id, step.origin.address, kind);
  if (!(await parts.store.people.takeSecondFactorTry(row.idHash))) {
    await parts.sessions.end(row.idHash);
    throw new AppError('session_required', {
      detail: 'Too many wrong codes. Sign in with your password again.',
    });
  }
  if (!(await parts.secondFactor.take(user.id, step.code))) throw new AppError('second_factor_invalid');
  parts.throttle.codeSucceeded(user.id, step.origin.address);
  await parts.sessions.end(row.idHash);
  return parts.sessions.start(user, step.origin, { secondFactor: 'settled', method: row.method });
}

/** Who has no password shows that they are still there by having signed in this recently. */
const RECENT_MS = 10 * 60_000;

/**
 * Asks a signed-in person for the password again, with the same brakes as signing in. Whoever has none, because a
 * provider vouches for them, has to have signed in a short while ago.
 * @throws AppError `invalid_request`, `invalid_credentials`, `login_throttled` or `sign_in_again`
 */
export async function assertPassword(
  parts: Pick<SignInParts, 'hasher' | 'throttle'> & { clock: Clock },
  { user, row }: LiveSession,
  proof: { password: string | undefined; address: string | null },
): Promise<void> {
  if (user.passwordHash === NO_PASSWORD) {
    if (parts.clock.now() - row.createdAtMs < RECENT_MS) return;
    throw new AppError('sign_in_again');
  }
  if (proof.password === undefined) {
    throw new AppError('invalid_request', { detail: 'This needs your password, in "password".' });
  }
  parts.throttle.admit(user.username, proof.address);
  if (!(await parts.hasher.verify(user.passwordHash, proof.password))) {
    throw new AppError('invalid_credentials', { detail: 'The password is wrong.' });
  }
  parts.throttle.succeeded(user.username, proof.address);
}

/** A proof by passkey, and the session it came from: one that owes its second step, or none. */
export interface PasskeySignIn {
  response: PasskeyProof;
  rp: RelyingParty;
  origin: SessionOrigin;
}

/**
 * Signs in with a passkey: as the second step where the password was right already, else alone, and then the device
 * has to have verified its holder.
 * @throws AppError `passkey_invalid`, or `sso_required` for somebody whom a provider lets in
 */
export async function signInWithPasskey(
  parts: SignInParts & { passkeys: Pick<Passkeys, 'prove'> },
  half: LiveSession | null,
  { response, rp, origin }: PasskeySignIn,
): Promise<StartedSession> {
  const row = await parts.passkeys.prove(proofPurpose(half), { response, rp });
  const user = await parts.store.identity.findUser(row.userId);
  if (user === null || user.disabledAtMs !== null) throw new AppError('passkey_invalid');
  // Whoever has no password is let in by a provider, and only as long as that does.
  if (half === null && user.passwordHash === NO_PASSWORD) throw new AppError('sso_required');
  if (half !== null) await parts.sessions.end(half.row.idHash);
  const method = half === null ? 'passkey' : half.row.method;
  return parts.sessions.start(user, origin, { secondFactor: 'settled', method });
}

/** What a passkey is asked for: the step a session owes, or a whole sign-in. */
export function proofPurpose(half: LiveSession | null): ProofPurpose {
  return half === null
    ? { kind: 'anyone' }
    : { kind: 'second-step', userId: half.user.id, idHash: half.row.idHash };
}
