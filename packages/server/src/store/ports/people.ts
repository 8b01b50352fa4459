import type { MembershipRow, SessionRow, UserRow } from '../store.ts';

/** A role somebody made. The built-in ones are in the program and never stored. */
export interface CustomRoleRow {
  name: string;
  /** Names of permissions; those this program does not know carry nothing. */
  permissions: string[];
  createdAtMs: number;
}

/** A one-time link: an invitation (`role` set), or a new password for somebody who is there (`userId` set). */
export interface EntryLinkRow {
  id: string;
  /** SHA-256 of the code in the link, lower-case hex. */
  codeHash: string;
  /** Where an invitation leads. */
  workspaceId: string | null;
  role: string | null;
  userId: string | null;
  /** Whom it is for, in the words of whoever made it. */
  note: string | null;
  /** Who made it; null when that was a key or the command line on the server's machine. */
  createdBy: string | null;
  createdAtMs: number;
  expiresAtMs: number;
}

export interface TotpRow {
  userId: string;
  /** Vault text, context `{table:'user_totp', row:userId, column:'secret'}`. */
  sealedSecret: string;
  /** Null until a first code proved that the app has the secret. */
  confirmedAtMs: number | null;
  /** The newest time step whose code was taken: RFC 6238 §5.2, a code is good once. */
  lastStep: number;
  createdAtMs: number;
}

/** Somebody who belongs to a workspace. */
export interface MemberRow extends UserRow {
  /** In this workspace. */
  role: string;
  /** Every workspace they belong to. */
  workspaceIds: string[];
  /** An app or a passkey. */
  secondFactor: boolean;
  /** An authenticator app. */
  app: boolean;
  passkeys: number;
  /** Signs in through an identity provider. */
  sso: boolean;
  /** Of the newest session; null when there is none. */
  lastSeenAtMs: number | null;
}

/** `last_owner`: refused, because nobody could administer the installation afterwards. */
export type UserChange = 'changed' | 'missing' | 'last_owner';

/** People beyond the first owner: roles, links, second factors, and sessions as a list. Every write is one transaction. */
export interface PeopleStore {
  listMembers(workspaceId: string): Promise<MemberRow[]>;
  /** Of one user, oldest first; or of everybody. */
  listMemberships(userId: string | null): Promise<MembershipRow[]>;
  /** @throws AppError `name_taken` when they belong to it already */
  addMember(row: MembershipRow): Promise<void>;
  /** Changes to owners take turns, so two at once cannot leave a workspace without one. */
  updateMember(
    ref: Pick<MembershipRow, 'userId' | 'workspaceId'>,
    change: Partial<Pick<MemberRow, 'role' | 'disabledAtMs'>>,
  ): Promise<UserChange>;
  /** With the last membership goes the user, with sessions, links and second factor. */
  removeMember(ref: Pick<MembershipRow, 'userId' | 'workspaceId'>): Promise<UserChange>;

  listRoles(): Promise<CustomRoleRow[]>;
  /** @throws AppError `name_taken` */
  insertRole(row: CustomRoleRow): Promise<void>;
  updateRole(name: string, permissions: readonly string[]): Promise<boolean>;
  /** `in_use`: a user or an open invitation has it. */
  deleteRole(name: string): Promise<'deleted' | 'missing' | 'in_use'>;

  insertLink(row: EntryLinkRow): Promise<void>;
  /** Invitations to a workspace, or with null every link. */
  listLinks(workspaceId: string | null, nowMs: number): Promise<EntryLinkRow[]>;
  findLink(codeHash: string, nowMs: number): Promise<EntryLinkRow | null>;
  deleteLink(id: string): Promise<boolean>;
  deleteExpiredLinks(nowMs: number): Promise<void>;
  /**
   * Uses an invitation up and inserts the user with what it grants, or nothing; of two at once one wins.
   * @throws AppError `name_taken`, which leaves the link as it was
   */
  acceptInvitation(linkId: string, user: UserRow): Promise<boolean>;
  /** Uses the link up, sets the password and ends every session of the user, or none of it. */
  acceptNewPassword(linkId: string, userId: string, passwordHash: string): Promise<boolean>;

  findTotp(userId: string): Promise<TotpRow | null>;
  /** Puts a secret that is not confirmed yet in the place of another such; false when a confirmed one is there. */
  offerTotp(row: TotpRow): Promise<boolean>;
  /** Confirms the secret that was read and replaces the recovery codes; false when another came in between. */
  confirmTotp(
    row: TotpRow,
    confirmed: { atMs: number; step: number; codeHashes: readonly string[] },
  ): Promise<boolean>;
  /** Takes the code of this time step; false when it or a later one was taken before. */
  takeTotpStep(userId: string, step: number): Promise<boolean>;
  /** Takes a recovery code; false when it is unknown or was taken before. */
  takeRecoveryCode(userId: string, codeHash: string, nowMs: number): Promise<boolean>;
  replaceRecoveryCodes(userId: string, codeHashes: readonly string[]): Promise<void>;
  countRecoveryCodes(userId: string): Promise<number>;
  /** Removes the app; the recovery codes too unless there are passkeys they stand in for. */
  deleteTotp(userId: string): Promise<boolean>;

  /** Newest first; of one user, or of everybody. */
  listSessions(userId: string | null): Promise<SessionRow[]>;
  /** Ends the user's sessions but the one kept; returns those that ended. */
  endSessions(userId: string, keepIdHash: string | null): Promise<string[]>;
  /** Ends every session there is. */
  endAllSessions(): Promise<void>;
  /** Takes one of the tries at the second factor; false when none is left. */
  takeSecondFactorTry(idHash: string): Promise<boolean>;
}
