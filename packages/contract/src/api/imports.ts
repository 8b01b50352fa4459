import { z } from 'zod';
import { REQUEST_STATUSES } from '../usage.ts';
import { instantSchema, nameSchema } from './common.ts';

/** Systems whose accounts, keys and history can be taken over. */
export const IMPORT_SOURCES = ['ccflare', 'nexus'] as const;

/** Id that the other system has for it. The same one is imported once, however often it comes. */
const ref = z.string().min(1).max(200);
const secret = z.string().min(1).max(16_384);
const count = z.number().int().nonnegative().max(1e12).nullable();

const importedAccount = z
  .object({
    ref,
    name: nameSchema,
    /** Wire format it speaks, such as `anthropic.messages`: whoever has it first is its provider here. */
    apiFlavor: z.string().min(1).max(64),
    apiKey: secret.optional(),
    oauth: z
      .object({
        accessToken: secret.nullable(),
        refreshToken: secret,
        expiresAt: instantSchema.nullable(),
      })
      .strict()
      .optional(),
    weight: z.number().int().min(1).max(1000),
    paused: z.boolean(),
  })
  .strict();
const importedKey = z
  .object({ ref, name: nameSchema, key: secret, project: z.string().min(1).max(100) })
  .strict();
export const importedEvent = z
  .object({
    ref,
    startedAt: instantSchema,
    accountRef: ref.nullable(),
    /** Null is the default project. */
    project: z.string().min(1).max(100).nullable(),
    /** Wire format it speaks, such as `anthropic.messages`: whoever has it first is its provider here. */
    apiFlavor: z.string().min(1).max(64),
    model: z.string().min(1).max(200).nullable(),
    status: z.enum(REQUEST_STATUSES),
    httpStatus: z.number().int().min(100).max(599).nullable(),
    stream: z.boolean(),
    latencyMs: z.number().nonnegative().nullable(),
    ttftMs: z.number().nonnegative().nullable(),
    sessionId: z.string().max(200).nullable(),
    tokens: z
      .object({
        inputUncached: count,
        cacheRead: count,
        cacheWrite5m: count,
        cacheWrite1h: count,
        outputVisible: count,
      })
      .strict(),
    /** What the other system thought it cost; kept beside our own figure. */
    costUsd: z
      .string()
      .regex(/^\d{1,9}(\.\d{1,18})?$/)
      .nullable(),
  })
  .strict();

/** The most events in one call. */
export const MAX_IMPORT_EVENTS = 500;
export const importRequest = z
  .object({
    source: z.enum(IMPORT_SOURCES),
    /** True finds out what would happen, and changes nothing. */
    dryRun: z.boolean(),
    accounts: z.array(importedAccount).max(500),
    keys: z.array(importedKey).max(500),
    events: z.array(importedEvent).max(MAX_IMPORT_EVENTS),
  })
  .strict();

const tally = z.object({
  /** Not here before. */
  added: z.number().int(),
  /** Here since an earlier import. */
  present: z.number().int(),
  /** Left out, and why. */
  skipped: z.array(z.object({ ref: z.string(), reason: z.string() })),
});
export const importResponse = z.object({ accounts: tally, keys: tally, events: tally });

export type ImportSource = (typeof IMPORT_SOURCES)[number];
export type ImportRequest = z.infer<typeof importRequest>;
export type ImportedAccount = z.infer<typeof importedAccount>;
export type ImportedKey = z.infer<typeof importedKey>;
export type ImportedEvent = z.infer<typeof importedEvent>;
export type ImportReport = z.infer<typeof importResponse>;
