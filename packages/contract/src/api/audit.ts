import { z } from 'zod';
import { instantSchema, listParam } from './common.ts';

export const AUDIT_OUTCOMES = ['started', 'ok', 'refused', 'failed'] as const;
export const AUDIT_ACTOR_KINDS = ['anonymous', 'local', 'user', 'key', 'system'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export const auditChange = z.object({
  field: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
/** One recorded act. `started` stands before an act that must not go unrecorded; its outcome is an entry of its own. */
export const auditEntry = z.object({
  seq: z.number().int(),
  at: z.string(),
  actor: z.object({
    kind: z.enum(AUDIT_ACTOR_KINDS),
    id: z.string().nullable(),
    name: z.string().nullable(),
  }),
  action: z.string(),
  class: z.string(),
  outcome: z.enum(AUDIT_OUTCOMES),
  status: z.number().int().nullable(),
  errorCode: z.string().nullable(),
  requestId: z.string().nullable(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  resource: z.string().nullable(),
  resourceId: z.string().nullable(),
  /** Null for the first workspace, and for what is of the installation. */
  workspaceId: z.string().nullable(),
  changes: z.array(auditChange),
  prevHash: z.string(),
  hash: z.string(),
});
export type AuditEntryView = z.infer<typeof auditEntry>;

const outcomes = listParam.pipe(z.array(z.enum(AUDIT_OUTCOMES)).max(AUDIT_OUTCOMES.length));
const word = z.string().min(1).max(200);
/** Digits, because a query arrives as text. */
const wholeParam = z
  .string()
  .regex(/^\d{1,15}$/, 'a whole number')
  .transform(Number);
const sized = (max: number) => wholeParam.pipe(z.number().int().min(1).max(max));

export const auditQuery = z.object({
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  actor: word.optional(),
  action: word.optional(),
  outcome: outcomes.optional(),
  resource: word.optional(),
  resourceId: word.optional(),
  address: word.optional(),
  limit: sized(500).default(100),
  /** `nextCursor` of the page before. */
  cursor: wholeParam.optional(),
});
export const auditListResponse = z.object({
  entries: z.array(auditEntry),
  nextCursor: z.string().nullable(),
});

export const AUDIT_FORMATS = ['jsonl', 'syslog'] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];
export const auditExportQuery = z.object({
  format: z.enum(AUDIT_FORMATS).default('jsonl'),
  /** Number of the last entry that the caller has; 0 begins at the first. */
  after: wholeParam.default(0),
  limit: sized(5_000).default(1_000),
});
/** `lines` are in the order of the chain; `next` is the `after` of the next page, null at the end. */
export const auditExportResponse = z.object({
  format: z.enum(AUDIT_FORMATS),
  lines: z.array(z.string()),
  next: z.number().int().nullable(),
});

export const auditVerifyRequest = z
  .object({
    /** An entry whose hash was kept elsewhere: finds a log that was rewritten as a whole. */
    expect: z
      .object({
        seq: z.number().int().min(1),
        hash: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
      })
      .strict()
      .optional(),
  })
  .strict();
export const auditVerifyResponse = z.object({
  ok: z.boolean(),
  entries: z.number().int(),
  /** The last entry; keep it elsewhere and pass it as `expect` later. */
  head: z.object({ seq: z.number().int(), hash: z.string() }).nullable(),
  /** At most 100. */
  problems: z.array(z.object({ seq: z.number().int(), kind: z.string(), message: z.string() })),
});
export type AuditVerifyReport = z.infer<typeof auditVerifyResponse>;
