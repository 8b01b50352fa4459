import { z } from 'zod';
import { accountCreateRequest, accountResponse } from './accounts.ts';

const urlSchema = z.url({ protocol: /^https?$/ }).max(2048);
/** RFC 6749 §3.3. */
const scopeSchema = z
  .string()
  .max(200)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
const parameterName = z.string().regex(/^[\w.-]{1,64}$/);

/** How tokens are asked for: as a form (RFC 6749 §4.1.3) or, as some providers want it, as JSON. */
export const OAUTH_TOKEN_FORMATS = ['form', 'json'] as const;

/** Whom tokens are asked of, and as whom. Nothing of it is preset: the client is one that the operator registered. */
export const oauthClientSchema = z
  .object({
    /** Page of the provider where a person agrees; null where nobody signs in here (a credential file). */
    authorizeUrl: urlSchema.nullable(),
    tokenUrl: urlSchema,
    clientId: z.string().min(1).max(500),
    scopes: z.array(scopeSchema).max(50),
    /** Where the provider sends the code: a page that shows it, or an address of this machine. */
    redirectUri: urlSchema.nullable(),
    tokenFormat: z.enum(OAUTH_TOKEN_FORMATS),
    /** Sent along to the authorize page. */
    authorizeParams: z.record(parameterName, z.string().max(500)),
  })
  .strict();

export const oauthSettingsResponse = z.object({
  /** False until the operator turns OAuth accounts on. */
  enabled: z.boolean(),
  /** What everybody who signs in should have read. */
  notice: z.string(),
  /** What the settings say; null where they say nothing. */
  defaults: oauthClientSchema
    .partial()
    .extend({ authorizeUrl: z.string().nullable(), redirectUri: z.string().nullable() }),
});

/** Parts that are left out are taken from the settings. */
const clientInput = oauthClientSchema
  .partial()
  .extend({
    authorizeUrl: urlSchema.optional(),
    redirectUri: urlSchema.optional(),
    clientSecret: z.string().min(1).max(4096).optional(),
  })
  .strict();

export const oauthSessionCreateRequest = z
  .object({
    /** The account that is to be made; left out when one signs in again. */
    account: accountCreateRequest.omit({ apiKey: true }).strict().optional(),
    /** Id of the account that signs in again. */
    accountId: z.string().min(1).max(64).optional(),
    client: clientInput.optional(),
    /** The notice about the provider's terms was read. */
    termsRead: z.literal(true),
  })
  .strict();
export const oauthSessionResponse = z.object({
  sessionId: z.string(),
  /** To be opened in a browser. */
  authorizeUrl: z.string(),
  redirectUri: z.string(),
  expiresAt: z.string(),
});
export const oauthCompleteRequest = z
  .object({
    sessionId: z.string().min(1).max(64),
    /** The code, `code#state`, or the whole address that the provider led to. */
    code: z.string().min(1).max(8192),
    state: z.string().min(1).max(500).optional(),
  })
  .strict();
export const oauthCompleteResponse = accountResponse;

export type OauthClient = z.infer<typeof oauthClientSchema>;
export type OauthSettingsView = z.infer<typeof oauthSettingsResponse>;
export type OauthSessionView = z.infer<typeof oauthSessionResponse>;
export type OauthSessionCreate = z.input<typeof oauthSessionCreateRequest>;
