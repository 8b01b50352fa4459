import type { MembershipRow, UserRow } from '../store.ts';

/** Whom an identity provider vouches for as one of our users. */
export interface SsoIdentityRow {
  /** SHA-256 of issuer and subject, lower-case hex. */
  id: string;
  userId: string;
  issuer: string;
  subject: string;
  /** The provider brought this user and says which role they have; else the user was there before. */
  managed: boolean;
  createdAtMs: number;
  lastUsedAtMs: number;
}

/** Users known through an identity provider; one provider each. Every write is one transaction. */
export interface SsoStore {
  findSsoIdentity(id: string): Promise<SsoIdentityRow | null>;
  findSsoIdentityOf(userId: string): Promise<SsoIdentityRow | null>;
  /** Makes the user and their memberships as well; false, and nothing done, when the name or the identity is taken. */
  insertSsoUser(
    user: UserRow,
    members: readonly Pick<MembershipRow, 'workspaceId' | 'role'>[],
    identity: SsoIdentityRow,
  ): Promise<boolean>;
  /** False when the identity belongs to somebody, or the user has one already. */
  insertSsoIdentity(identity: SsoIdentityRow): Promise<boolean>;
  useSsoIdentity(id: string, atMs: number): Promise<void>;
  deleteSsoIdentityOf(userId: string): Promise<boolean>;
}
