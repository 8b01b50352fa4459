import { z } from 'zod';
import { instantSchema, nameSchema, slugSchema } from './common.ts';
import { keyRestrictionsRequest, keyRestrictionsView } from './key-restrictions.ts';

export const KEY_SCOPES = ['gateway', 'ingest', 'read', 'embed', 'chat', 'admin'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];
export type KeyRestrictions = z.infer<typeof keyRestrictionsView>;

/** `environment`: from a variable of the server (TW-06). `open`: stands for callers without a key (NX-02). */
export const KEY_KINDS = ['issued', 'environment', 'open'] as const;

const ownerSchema = z.string().min(1).max(64);

export const keyResponse = z.object({
  id: z.string(),
  name: z.string(),
  /** The first characters of the key, for recognising it; the rest is stored only as a hash. */
  prefix: z.string(),
  kind: z.enum(KEY_KINDS),
  scopes: z.array(z.enum(KEY_SCOPES)),
  project: z.object({ id: z.string(), slug: z.string() }),
  /** The person whose key it is: budgets and limits of people count its requests. */
  user: z.object({ id: z.string(), username: z.string() }).nullable(),
  restrictions: keyRestrictionsView,
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  rotatedAt: z.string().nullable(),
  /** The secret that the last rotation replaced, while it still works. */
  previous: z.object({ prefix: z.string(), expiresAt: z.string() }).nullable(),
});
/** `key` is shown this once. */
export const keyCreatedResponse = keyResponse.extend({ key: z.string() });
export const keyCreateRequest = z
  .object({
    name: nameSchema,
    scopes: z.array(z.enum(KEY_SCOPES)).min(1).max(KEY_SCOPES.length),
    /** Slug of the project; created when it does not exist. Default: `default`. */
    project: slugSchema.optional(),
    /** Name or id of the person whose key it is; nobody's in particular when left out. */
    user: ownerSchema.optional(),
    expiresAt: instantSchema.optional(),
    restrictions: keyRestrictionsRequest.optional(),
  })
  .strict();
/** `restrictions` replaces all limits at once: what it leaves out is limited no more. */
export const keyUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    user: ownerSchema.nullish(),
    restrictions: keyRestrictionsRequest.optional(),
  })
  .strict()
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: 'name, user or restrictions must be given',
  });

/** Ninety days: an old secret that works for longer was not replaced. */
export const MAX_OVERLAP_SECONDS = 90 * 86_400;
/** `overlapSeconds`: how long the old secret goes on working; 0, the default, ends it at once. */
export const keyRotateRequest = z
  .object({ overlapSeconds: z.number().int().min(0).max(MAX_OVERLAP_SECONDS).default(0) })
  .strict();
export const keyListResponse = z.object({ keys: z.array(keyResponse) });
export type ApiKeyView = z.infer<typeof keyResponse>;
export type ApiKeyCreated = z.infer<typeof keyCreatedResponse>;
