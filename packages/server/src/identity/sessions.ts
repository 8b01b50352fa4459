import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { IdentityStore, SessionRow, SignInMethod, UserRow } from '../store/store.ts';
import type { AccessRules, SessionStage, Standing } from './access.ts';
import { csrfTokenOf, hmacHex, type RandomBytes, randomToken, sameHash, sha256Hex } from './token.ts';

export interface SessionLimits {
  /** A session unused for this long is over. */
  idleMs: number;
  /** A session of this age is over, used or not. */
  absoluteMs: number;
}

/** A signed-in person, or one on the way in, with where they stand at this moment. */
export interface LiveSession extends Standing {
  user: UserRow;
  row: SessionRow;
  stage: SessionStage;
}

export interface SessionOrigin {
  address: string | null;
  userAgent: string | null;
}

export interface StartedSession {
  token: Secret;
  session: LiveSession;
}

/** What a session rests on. */
export interface SessionTerms {
  secondFactor: 'owed' | 'settled';
  method: SignInMethod | null;
}

export interface Sessions {
  /**
   * Starts a session; the token is the cookie's value and stored only as a hash (TW-02).
   * `owed` starts one that lasts minutes and lets nothing through but the second factor.
   */
  start(user: UserRow, origin: SessionOrigin, terms: SessionTerms): Promise<StartedSession>;
  /** The session of a cookie value, or null when it is unknown, idle too long, too old, or its user is gone or disabled. */
  find(token: string): Promise<LiveSession | null>;
  /** The same without counting as use, for streams that stay open. */
  alive(idHash: string): Promise<boolean>;
  isLive(row: SessionRow): boolean;
  /** The CSRF token of this session. */
  csrfToken(token: string): string;
  csrfMatches(session: LiveSession, sent: string): boolean;
  /** Ends it on the server: the cookie is worthless from now on, everywhere. */
  end(idHash: string): Promise<void>;
}

/** Use is written down once a minute at most: a dashboard must not turn every read into a write. */
const TOUCH_INTERVAL_MS = 60_000;
const MAX_USER_AGENT_CHARS = 256;
/** base64url of 32 bytes; anything else is not looked up. */
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;
/** Long enough to look for a phone; whoever is later gives the password again. */
const SECOND_FACTOR_MS = 5 * 60_000;
const SECOND_FACTOR_TRIES = 5;

interface SessionParts {
  store: IdentityStore;
  access: AccessRules;
  clock: Clock;
  randomBytes: RandomBytes;
  limits: SessionLimits;
  /** With one, stored hashes are keyed: a copy of the database cannot even be compared with a stolen cookie (TW-02). */
  secret: Secret | null;
  /** The identity provider asks for second factors itself. */
  ssoSettlesSecondFactor: boolean;
}

/** Opaque sessions on the server side (TW-02). */
export function createSessions(parts: SessionParts): Sessions {
  const { store, access, clock, limits, secret } = parts;
  const hashOf = (token: string): string =>
    secret === null ? sha256Hex(token) : hmacHex(secret.reveal(), token);
  const isLive = (row: SessionRow): boolean =>
    clock.now() < row.expiresAtMs && clock.now() - row.lastSeenAtMs < limits.idleMs;

  async function findRow(idHash: string): Promise<SessionRow | null> {
    const row = await store.findSession(idHash);
    if (row === null) return null;
    if (isLive(row)) return row;
    await store.deleteSession(idHash);
    return null;
  }

  async function stageOf(user: UserRow, row: SessionRow): Promise<SessionStage> {
    if (row.secondFactorTries !== null) return 'second_factor';
    const settled = row.method === 'sso' && parts.ssoSettlesSecondFactor;
    return !settled && (await access.mustEnrol(user.id)) ? 'enrol' : 'full';
  }

  async function live(user: UserRow, row: SessionRow): Promise<LiveSession | null> {
    const standing = await access.standingOf(user.id, row.workspaceId);
    return standing === null ? null : { ...standing, user, row, stage: await stageOf(user, row) };
  }

  return {
    async start(user, origin, { secondFactor, method }) {
      const nowMs = clock.now();
      await store.deleteExpiredSessions(nowMs);
      const token = randomToken(parts.randomBytes);
      const owed = secondFactor === 'owed';
      const row: SessionRow = {
        idHash: hashOf(token),
        userId: user.id,
        csrfHash: sha256Hex(csrfTokenOf(token)),
        createdAtMs: nowMs,
        lastSeenAtMs: nowMs,
        expiresAtMs: nowMs + (owed ? Math.min(SECOND_FACTOR_MS, limits.absoluteMs) : limits.absoluteMs),
        address: origin.address,
        userAgent: origin.userAgent?.slice(0, MAX_USER_AGENT_CHARS) ?? null,
        secondFactorTries: owed ? SECOND_FACTOR_TRIES : null,
        method,
        workspaceId: null,
      };
      const session = await live(user, row);
      if (session === null) {
        throw new AppError('permission_denied', { detail: 'You belong to no workspace any more.' });
      }
      await store.insertSession(row);
      return { token: new Secret(token), session };
    },
    async find(token) {
      if (!TOKEN_FORM.test(token)) return null;
      const row = await findRow(hashOf(token));
      if (row === null) return null;
      const user = await store.findUser(row.userId);
      if (user === null || user.disabledAtMs !== null) return null;
      const nowMs = clock.now();
      if (nowMs - row.lastSeenAtMs >= Math.min(TOUCH_INTERVAL_MS, limits.idleMs / 2)) {
        await store.touchSession(row.idHash, nowMs);
      }
      return live(user, row);
    },
    alive: async (idHash) => (await findRow(idHash)) !== null,
    isLive,
    csrfToken: csrfTokenOf,
    csrfMatches: (session, sent) => sameHash(sha256Hex(sent), session.row.csrfHash),
    end: (idHash) => store.deleteSession(idHash),
  };
}
