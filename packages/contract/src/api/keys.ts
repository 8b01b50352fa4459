import { z } from 'zod';
import { instantSchema, nameSchema, slugSchema } from './common.ts';

export const KEY_SCOPES = ['gateway', 'ingest', 'read', 'embed', 'chat', 'admin'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

export const keyResponse = z.object({
  id: z.string(),
  name: z.string(),
  /** The first characters of the key, for recognising it; the rest is stored only as a hash. */
  prefix: z.string(),
  scopes: z.array(z.enum(KEY_SCOPES)),
  project: z.object({ id: z.string(), slug: z.string() }),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
/** `key` is shown this once. */
export const keyCreatedResponse = keyResponse.extend({ key: z.string() });
export const keyCreateRequest = z
  .object({
    name: nameSchema,
    scopes: z.array(z.enum(KEY_SCOPES)).min(1).max(KEY_SCOPES.length),
    /** Slug of the project; created when it does not exist. Default: `default`. */
    project: slugSchema.optional(),
    expiresAt: instantSchema.optional(),
  })
  .strict();
export const keyUpdateRequest = z.object({ name: nameSchema }).strict();
export const keyListResponse = z.object({ keys: z.array(keyResponse) });
export type ApiKeyView = z.infer<typeof keyResponse>;
export type ApiKeyCreated = z.infer<typeof keyCreatedResponse>;
