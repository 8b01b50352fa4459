import { z } from 'zod';

/** What the security monitor counts. */
export const SECURITY_KINDS = [
  'login_failed',
  'unauthorized',
  'forbidden',
  'csrf_refused',
  'throttled',
  'new_key_address',
  'egress_blocked',
  'csp_report',
] as const;
export type SecurityKind = (typeof SECURITY_KINDS)[number];

const counts = z.record(z.enum(SECURITY_KINDS), z.number().int());
const named = z.object({ name: z.string(), lastAt: z.string(), lastHour: counts, lastDay: counts });

export const securityFinding = z.object({
  /** Stable name of the rule, such as `failed_sign_ins`. */
  rule: z.string(),
  /** The address, host or key it is about; null when it is about everything. */
  about: z.string().nullable(),
  severity: z.enum(['warning', 'critical']),
  /** What was seen, in one sentence. */
  message: z.string(),
  /** What to do about it. */
  advice: z.string(),
});
export const securityOverviewResponse = z.object({
  /** Counting began here: the counters live in the memory of the server. */
  since: z.string(),
  /** 24 hours, oldest first. */
  hours: z.array(z.object({ start: z.string(), counts })),
  addresses: z.array(named),
  keyPrefixes: z.array(named),
  hosts: z.array(named),
  /** Newest first, at most 50. */
  cspReports: z.array(
    z.object({ at: z.string(), directive: z.string(), blocked: z.string(), page: z.string() }),
  ),
  findings: z.array(securityFinding),
});
export type SecurityOverview = z.infer<typeof securityOverviewResponse>;
export type SecurityFinding = z.infer<typeof securityFinding>;

/** Who may connect here, by the server's settings: they are changed there, not in the dashboard. */
export const networkSettingsResponse = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      /** The environment variable that sets it. */
      variable: z.string().nullable(),
      value: z.string(),
      doc: z.string(),
    }),
  ),
});
export type NetworkSettings = z.infer<typeof networkSettingsResponse>;

/** What browsers send for `report-uri`; they add fields as they please, so unknown ones are let through and dropped. */
export const cspReportRequest = z
  .object({
    'csp-report': z.looseObject({
      'document-uri': z.string().max(8_192).optional(),
      'blocked-uri': z.string().max(8_192).optional(),
      'effective-directive': z.string().max(200).optional(),
      'violated-directive': z.string().max(1_000).optional(),
    }),
  })
  .strict();
