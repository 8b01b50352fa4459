import { z } from 'zod';

export const usernameSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9._@+-]+$/, 'letters, digits and . _ @ + -');
/** Only bounded here: what makes a password good is judged by the server. */
export const passwordSchema = z.string().min(1).max(1024);

export const setupStatusResponse = z.object({
  needsSetup: z.boolean(),
  version: z.string(),
  db: z.object({ kind: z.string() }),
  /** The identity provider people may sign in through; null when there is none. */
  sso: z.object({ name: z.string() }).nullable(),
});
export const setupRequest = z.object({
  code: z.string().min(1).max(200),
  username: usernameSchema,
  password: passwordSchema,
});
export const loginRequest = z.object({
  username: z.string().min(1).max(64),
  password: passwordSchema,
});
export const meResponse = z.object({
  user: z.object({
    id: z.string(),
    username: z.string(),
    role: z.string(),
    /** False for people whom a provider lets in. */
    hasPassword: z.boolean(),
  }),
  /** What the role carries, for showing only what can be used. */
  permissions: z.array(z.string()),
  /** `second_factor`: the code is owed. `enrol`: the role needs a second factor that is not set up yet. */
  stage: z.enum(['full', 'second_factor', 'enrol']),
  /** What may be shown for the second factor that is owed; empty when none is. */
  owed: z.array(z.enum(['app', 'passkey', 'recovery'])),
  session: z.object({ createdAt: z.string(), expiresAt: z.string() }),
});
export const csrfResponse = z.object({ csrfToken: z.string() });

/** Six digits of an authenticator app, or a recovery code. */
const codeSchema = z.string().trim().min(6).max(40);
export const secondFactorRequest = z.object({ code: codeSchema });
/** Changes to how one signs in need the password again: an open browser is not enough. */
export const passwordProof = z.object({
  /** Left out by whoever has none and has signed in a short while ago. */
  password: passwordSchema.optional(),
});
export const passwordChangeRequest = z.object({ current: passwordSchema, password: passwordSchema });
export const secondFactorStatus = z.object({
  /** An authenticator app is set up. */
  enrolled: z.boolean(),
  passkeys: z.number().int(),
  /** The role needs one. */
  required: z.boolean(),
  recoveryCodesLeft: z.number().int(),
});
/** Shown this once. */
export const secondFactorOffer = z.object({ secret: z.string(), uri: z.string() });
export const recoveryCodesResponse = z.object({ recoveryCodes: z.array(z.string()) });

export const sessionResponse = z.object({
  id: z.string(),
  user: z.object({ id: z.string(), username: z.string() }),
  /** The session that asks. */
  current: z.boolean(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  /** What began it: password, link, passkey or sso; null where that is not known. */
  method: z.string().nullable(),
});
export const sessionListResponse = z.object({ sessions: z.array(sessionResponse) });
export const sessionsEndedResponse = z.object({ ended: z.number().int() });
export type SessionView = z.infer<typeof sessionResponse>;
export type SecondFactorStatus = z.infer<typeof secondFactorStatus>;
export type SetupStatus = z.infer<typeof setupStatusResponse>;
export type Me = z.infer<typeof meResponse>;
