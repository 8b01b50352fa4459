import { z } from 'zod';
import { passwordSchema, usernameSchema } from './auth.ts';
import { nameSchema } from './common.ts';

/** Names of custom roles: they stand in commands and in the table of users. */
export const roleNameSchema = z
  .string()
  .min(2)
  .max(40)
  .regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and dashes, beginning with a letter');

export const roleResponse = z.object({
  name: z.string(),
  builtIn: z.boolean(),
  permissions: z.array(z.string()),
  /** Whoever asks holds all of these, and so may give the role to somebody. */
  grantable: z.boolean(),
});
export const roleListResponse = z.object({
  roles: z.array(roleResponse),
  /** Every permission there is, in words. */
  permissions: z.array(z.object({ name: z.string(), text: z.string() })),
});
const permissionList = z.array(z.string().max(60)).min(1).max(60);
export const roleCreateRequest = z.object({ name: roleNameSchema, permissions: permissionList });
export const roleUpdateRequest = z.object({ permissions: permissionList });

export const userResponse = z.object({
  id: z.string(),
  username: z.string(),
  role: z.string(),
  createdAt: z.string(),
  disabledAt: z.string().nullable(),
  /** An authenticator app or a passkey. */
  secondFactor: z.boolean(),
  /** What they can sign in with: a password, codes of an app after it, passkeys. */
  password: z.boolean(),
  app: z.boolean(),
  passkeys: z.number().int(),
  /** Signs in through an identity provider. */
  sso: z.boolean(),
  lastSeenAt: z.string().nullable(),
});
export const userListResponse = z.object({ users: z.array(userResponse) });
export const userUpdateRequest = z.object({
  role: z.string().max(40).optional(),
  disabled: z.boolean().optional(),
});

export const invitationResponse = z.object({
  id: z.string(),
  role: z.string(),
  note: z.string().nullable(),
  /** Name of whoever made it; null for a key or the command line. */
  createdBy: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
});
export const invitationListResponse = z.object({ invitations: z.array(invitationResponse) });
export const invitationCreateRequest = z.object({
  role: z.string().max(40),
  /** Whom it is for. */
  note: nameSchema.optional(),
  expiresInHours: z.number().int().min(1).max(720).default(72),
});
/** A one-time link; `path` goes behind the address of the dashboard and is shown this once. */
export const entryLinkResponse = z.object({ id: z.string(), path: z.string(), expiresAt: z.string() });

export const entryRequest = z.object({ code: z.string().min(1).max(200) });
export const entryResponse = z.object({
  purpose: z.enum(['invitation', 'new_password']),
  role: z.string(),
  /** Set where it is known already. */
  username: z.string().nullable(),
  expiresAt: z.string(),
});
export const entryAcceptRequest = z.object({
  code: z.string().min(1).max(200),
  /** For invitations. */
  username: usernameSchema.optional(),
  password: passwordSchema,
});

export const secondFactorRule = z.object({ roles: z.array(z.string().max(40)).max(100) });

export type RoleView = z.infer<typeof roleResponse>;
export type RoleList = z.infer<typeof roleListResponse>;
export type UserView = z.infer<typeof userResponse>;
export type InvitationView = z.infer<typeof invitationResponse>;
export type EntryLinkView = z.infer<typeof entryLinkResponse>;
export type EntryView = z.infer<typeof entryResponse>;
