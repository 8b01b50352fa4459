import { z } from 'zod';
import { nameSchema } from './common.ts';
import { notesSchema } from './pools.ts';

/** SHA-256 of a public key (SubjectPublicKeyInfo) in base64, as `curl --pinnedpubkey` takes it after `sha256//`. */
export const pinSchema = z
  .string()
  .regex(/^[A-Za-z\d+/]{43}=$/, 'must be a SHA-256 in base64: 43 characters and =');
/** Who an account serves: `project:ID` or `key:ID`. */
const bindingSchema = z
  .string()
  .max(80)
  .regex(/^(?:project|key):[^\p{Cc}]+$/u, 'must be project:ID or key:ID');
const bindings = z.array(bindingSchema).max(200);
const tier = z.number().int().min(1).max(1000);
const pinsSchema = z.array(pinSchema).max(8);
export const accountResponse = z.object({
  id: z.string(),
  name: z.string(),
  /** Adapter id: `anthropic`, `openai`, `gemini`, `azure`, `bedrock` or `compatible`. */
  provider: z.string(),
  /** Row of the compatible table (`ollama`, `openrouter`, …); null for the others. */
  preset: z.string().nullable(),
  baseUrl: z.string(),
  /** Last four characters of the credential, for recognising it; null when the upstream takes none. */
  credentialHint: z.string().nullable(),
  allowPrivateUpstream: z.boolean(),
  /** SHA-256 of the public keys the upstream may have, in base64; empty pins none. */
  pinSha256: z.array(z.string()),
  /** Model patterns (`*` matches any run of characters) this account serves; empty serves every model. */
  models: z.array(z.string()),
  priority: z.number().int(),
  /** Share of the calls beside other accounts of the same priority, with the strategies that go by it. */
  weight: z.number().int(),
  /** Size of its plan compared with the others, such as 1, 5 or 20: its share is weight times tier. */
  tier: z.number().int(),
  notes: z.string().nullable(),
  /** Who it serves; empty serves everybody. */
  boundTo: z.array(z.object({ kind: z.enum(['project', 'key']), id: z.string(), name: z.string() })),
  /** Pools it is a member of. */
  pools: z.array(z.object({ id: z.string(), name: z.string() })),
  paused: z.boolean(),
  /**
   * What the account is good for right now: `needs_reauth` has to sign in again,
   * `limited` serves nothing until the provider's limit ends, `refused` had
   * its credential refused, `resting` failed a moment ago, `warned` nears a limit or has one for some models.
   */
  condition: z.enum(['ready', 'paused', 'needs_reauth', 'limited', 'refused', 'resting', 'warned']),
  /** Limits that the provider declared; `model` null is every model. */
  limits: z.array(z.object({ model: z.string().nullable(), reason: z.string(), until: z.string() })),
  /** How far the provider's windows are used up (`5h`, `7d`, `requests`, …), as its last answers said. */
  windows: z.array(
    z.object({
      name: z.string(),
      /** 0 to 1, above 1 when overdrawn; null when the provider does not say. */
      utilization: z.number().nullable(),
      limit: z.number().nullable(),
      remaining: z.number().nullable(),
      status: z.string().nullable(),
      resetAt: z.string().nullable(),
      observedAt: z.string(),
      /** How full the window will be when it starts anew, at the present pace; null when that cannot be said. */
      forecast: z
        .object({
          utilizationAtReset: z.number(),
          /** When it is used up, if that is before it starts anew. */
          exhaustedAt: z.string().nullable(),
        })
        .nullable(),
    }),
  ),
  /** Of an account that signs in with OAuth; null for those with an API key or none. */
  oauth: z
    .object({
      /** When its access token ends; it is renewed before. Null when the provider did not say. */
      expiresAt: z.string().nullable(),
      /** Why only a person can get new tokens, as the provider's error code; null while all is well. */
      reauthReason: z.string().nullable(),
    })
    .nullable(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export const accountListResponse = z.object({ accounts: z.array(accountResponse) });
export const accountCreateRequest = z
  .object({
    provider: z.string().min(1).max(64),
    preset: z.string().min(1).max(64).optional(),
    name: nameSchema,
    apiKey: z.string().min(1).max(4096).optional(),
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
    allowPrivateUpstream: z.boolean().optional(),
    pinSha256: pinsSchema.optional(),
    models: z.array(z.string().min(1).max(200)).max(200).optional(),
    /** Lower goes first. Default 100. */
    priority: z.number().int().min(0).max(1000).optional(),
    /** Default 1. */
    weight: z.number().int().min(1).max(1000).optional(),
    /** Default 1. */
    tier: tier.optional(),
    notes: notesSchema.optional(),
    boundTo: bindings.optional(),
  })
  .strict();
export const accountUpdateRequest = z
  .object({
    name: nameSchema.optional(),
    paused: z.boolean().optional(),
    models: z.array(z.string().min(1).max(200)).max(200).optional(),
    priority: z.number().int().min(0).max(1000).optional(),
    weight: z.number().int().min(1).max(1000).optional(),
    tier: tier.optional(),
    notes: notesSchema.nullable().optional(),
    boundTo: bindings.optional(),
    apiKey: z.string().min(1).max(4096).optional(),
    pinSha256: pinsSchema.optional(),
  })
  .strict();
export const accountTestResponse = z.object({
  ok: z.boolean(),
  httpStatus: z.number().int().nullable(),
  latencyMs: z.number().nullable(),
  /** What was found, in words; never a body of the upstream's. */
  message: z.string(),
  models: z.array(z.string()),
});
export const providerListResponse = z.object({
  providers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      defaultBaseUrl: z.string().nullable(),
      credentialRequired: z.boolean(),
      presets: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          baseUrl: z.string(),
          credentialRequired: z.boolean(),
          private: z.boolean(),
        }),
      ),
    }),
  ),
});
export type AccountView = z.infer<typeof accountResponse>;
export type AccountTest = z.infer<typeof accountTestResponse>;
export type ProviderListView = z.infer<typeof providerListResponse>;
