import { z } from 'zod';

/** `warn` asks for attention; `fail` means something does not work or is not safe. */
export const CHECK_STATUSES = ['ok', 'warn', 'fail'] as const;

/** One thing that was looked at. */
export const checkResult = z.object({
  /** Stable name of the check, such as `stale_keys`. */
  id: z.string(),
  status: z.enum(CHECK_STATUSES),
  message: z.string(),
  /** What to do; null when there is nothing to do. */
  fix: z.string().nullable(),
  /** The end of `fix`, where that is a command to be pasted on the machine of the server. */
  command: z.string().optional(),
});
/** What `tallygate security-check` learnt from the registry of packages, which the server itself never asks. */
export const dependencyReport = z.object({
  status: z.enum(CHECK_STATUSES),
  message: z.string().max(1_000),
  fix: z.string().max(1_000).nullable(),
});

const checkupRun = z.object({
  at: z.string(),
  /** Who asked for it. */
  by: z.string(),
  /** Is this installation safe, as `tallygate security-check` asks. */
  safety: z.array(checkResult),
  /** Is everything in order, as `tallygate doctor` asks. */
  order: z.array(checkResult),
});
export const checkupResponse = z.object({
  /** Null until somebody ran the checks. */
  lastRun: checkupRun.nullable(),
});

export type CheckStatus = (typeof CHECK_STATUSES)[number];
export type CheckResult = z.infer<typeof checkResult>;
export type CheckupRun = z.infer<typeof checkupRun>;
export type CheckupView = z.infer<typeof checkupResponse>;
export type DependencyReport = z.infer<typeof dependencyReport>;
