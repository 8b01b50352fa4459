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
export type SsoStatus = z.infer<typeof ssoStatusResponse>;
