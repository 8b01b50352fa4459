import { z } from 'zod';
import { auditVerifyResponse } from './audit.ts';
import { keyResponse } from './keys.ts';
import { securityOverviewResponse } from './security.ts';

/** Sent along with what cannot be taken back, so that nobody does it by accident. */
export const ROTATE_ALL_CONFIRMATION = 'revoke every key';
export const REVOKE_SESSIONS_CONFIRMATION = 'end every session';

const trafficPause = z.object({ since: z.string(), reason: z.string().nullable(), by: z.string() });
export const incidentStatusResponse = z.object({
  paused: trafficPause.nullable(),
  workingKeys: z.number().int(),
});
export const pauseRequest = z
  .object({
    reason: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .regex(/^[^\p{Cc}]+$/u, 'must not contain control characters')
      .optional(),
  })
  .strict();
export const pauseResponse = z.object({
  paused: trafficPause.nullable(),
  /** Requests that were running and were ended. */
  ended: z.number().int(),
});
export const rotateAllRequest = z.object({ confirm: z.literal(ROTATE_ALL_CONFIRMATION) }).strict();
export const rotateAllResponse = z.object({ revoked: z.number().int() });
export const revokeSessionsRequest = z.object({ confirm: z.literal(REVOKE_SESSIONS_CONFIRMATION) }).strict();
export const revokeSessionsResponse = z.object({ ended: z.number().int() });
/** State at one moment, for whoever looks into an incident later. Holds no secret. The audit log is exported beside it. */
export const incidentExportResponse = z.object({
  at: z.string(),
  version: z.string(),
  paused: trafficPause.nullable(),
  settings: z.array(z.object({ name: z.string(), value: z.string() })),
  keys: z.array(keyResponse.omit({ project: true }).extend({ projectId: z.string() })),
  accounts: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      provider: z.string(),
      baseUrl: z.string(),
      credentialHint: z.string().nullable(),
      paused: z.boolean(),
    }),
  ),
  audit: auditVerifyResponse,
  security: securityOverviewResponse,
});
export type IncidentStatus = z.infer<typeof incidentStatusResponse>;
