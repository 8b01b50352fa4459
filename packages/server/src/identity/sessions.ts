import type { Clock } from '../kernel/clock.ts';
import { Secret } from '../kernel/secret.ts';
import type { IdentityStore, SessionRow, UserRow } from '../store/store.ts';
import { csrfTokenOf, type RandomBytes, randomToken, sameHash, sha256Hex } from './token.ts';

export interface SessionLimits {
  /** A session unused for this long is over. */
  idleMs: number;
  /** A session of this age is over, used or not. */
  absoluteMs: number;
}

/** A signed-in person. */
export interface LiveSession {
  user: UserRow;
  row: SessionRow;
}

export interface SessionOrigin {
  address: string | null;
  userAgent: string | null;
}

export interface Sessions {
  /** Starts a session; the token is the cookie's value and stored only as a hash (TW-02). */
  start(user: UserRow, origin: SessionOrigin): Promise<{ token: Secret; session: LiveSession }>;
  /** The session of a cookie value, or null when it is unknown, idle too long, too old, or its user is gone. */
  find(token: string): Promise<LiveSession | null>;
  /** The same without counting as use, for streams that stay open. */
  alive(idHash: string): Promise<boolean>;
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

interface SessionParts {
  store: IdentityStore;
  clock: Clock;
  randomBytes: RandomBytes;
  limits: SessionLimits;
}

/** Opaque sessions on the server side (TW-02). */
export function createSessions({ store, clock, randomBytes, limits }: SessionParts): Sessions {
  const isLive = (row: SessionRow, nowMs: number): boolean =>
    nowMs < row.expiresAtMs && nowMs - row.lastSeenAtMs < limits.idleMs;

  async function findRow(idHash: string): Promise<SessionRow | null> {
    const row = await store.findSession(idHash);
    if (row === null) return null;
    if (isLive(row, clock.now())) return row;
    await store.deleteSession(idHash);
    return null;
  }

  return {
    async start(user, origin) {
      const nowMs = clock.now();
      await store.deleteExpiredSessions(nowMs);
      const token = randomToken(randomBytes);
      const row: SessionRow = {
        idHash: sha256Hex(token),
        userId: user.id,
        csrfHash: sha256Hex(csrfTokenOf(token)),
        createdAtMs: nowMs,
        lastSeenAtMs: nowMs,
        expiresAtMs: nowMs + limits.absoluteMs,
        address: origin.address,
        userAgent: origin.userAgent?.slice(0, MAX_USER_AGENT_CHARS) ?? null,
      };
      await store.insertSession(row);
      return { token: new Secret(token), session: { user, row } };
    },
    async find(token) {
      if (!TOKEN_FORM.test(token)) return null;
      const row = await findRow(sha256Hex(token));
      if (row === null) return null;
      const user = await store.findUser(row.userId);
      if (user === null) return null;
      const nowMs = clock.now();
      if (nowMs - row.lastSeenAtMs >= Math.min(TOUCH_INTERVAL_MS, limits.idleMs / 2)) {
        await store.touchSession(row.idHash, nowMs);
      }
      return { user, row };
    },
    alive: async (idHash) => (await findRow(idHash)) !== null,
    csrfToken: csrfTokenOf,
    csrfMatches: (session, sent) => sameHash(sha256Hex(sent), session.row.csrfHash),
    end: (idHash) => store.deleteSession(idHash),
  };
}
