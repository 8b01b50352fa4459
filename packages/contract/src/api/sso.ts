import { z } from 'zod';
import { passwordProof } from './auth.ts';

export const ssoStartRequest = z.object({
  /** Where to go in the dashboard afterwards. */
  return: z.string().max(2_000).optional(),
});
export const ssoConnectRequest = passwordProof;
/** Where the browser goes next. */
export const ssoStartResponse = z.object({ url: z.string() });
export const ssoStatusResponse = z.object({
  /** What people know the provider as; null when none is set. */
  provider: z.string().nullable(),
  connected: z
    .object({
      issuer: z.string(),
      subject: z.string(),
      /** The provider brought this user and says which role they have. */
      managed: z.boolean(),
      lastUsedAt: z.string(),
    })
    .nullable(),
});
/** A group or the default, and the role it gives; `problem` says why nobody gets in by it. */
const ssoGrant = z.object({
  /** Null for people in none of the groups. */
  group: z.string().nullable(),
  role: z.string(),
  /** Slug of the workspace that the role is in. */
  workspace: z.string(),
  problem: z.string().nullable(),
});
/** What is set about single sign-on; all of it is in the server's settings. Null when no provider is set. */
export const ssoSettingsResponse = z.object({
  provider: z
    .object({
      name: z.string(),
      issuer: z.string(),
      clientId: z.string(),
      /** A secret is set; else PKCE alone protects the sign-in. */
      hasClientSecret: z.boolean(),
      scopes: z.string(),
      userClaim: z.string(),
      roleClaim: z.string(),
      /** Where the provider has to let browsers return to; null for the address the dashboard was opened at. */
      returnUrl: z.string().nullable(),
      secondFactor: z.enum(['gate', 'provider']),
      grants: z.array(ssoGrant),
    })
    .nullable(),
});
/** What the provider says of itself, asked just now. */
export const ssoTestResponse = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export type SsoSettings = z.infer<typeof ssoSettingsResponse>;
export type SsoTest = z.infer<typeof ssoTestResponse>;
export type SsoStatus = z.infer<typeof ssoStatusResponse>;
