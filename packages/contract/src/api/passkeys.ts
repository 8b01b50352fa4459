import { z } from 'zod';
import { idSchema, nameSchema } from './common.ts';

/** Bytes as browsers write them. Attestations and keys are far below this. */
const bytes = z
  .string()
  .min(1)
  .max(16_384)
  .regex(/^[A-Za-z0-9_-]+$/, 'base64url');
const credentialId = bytes.max(1_400);

/** What a page hands to the browser, as the WebAuthn standard words it. */
const browserOptions = z.record(z.string(), z.unknown());
export const passkeyOptionsResponse = z.object({ options: browserOptions });

export const passkeyCreation = z
  .object({
    id: credentialId,
    rawId: credentialId,
    type: z.literal('public-key'),
    response: z
      .object({
        clientDataJSON: bytes,
        attestationObject: bytes,
        transports: z.array(z.string().max(30)).max(10).default([]),
      })
      .strict(),
  })
  .strict();
export const passkeyProof = z
  .object({
    id: credentialId,
    rawId: credentialId,
    type: z.literal('public-key'),
    response: z.object({ clientDataJSON: bytes, authenticatorData: bytes, signature: bytes }).strict(),
  })
  .strict();

export const passkeyView = z.object({
  id: z.string(),
  name: z.string(),
  /** The host name it works under. */
  site: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
});
export const passkeyListResponse = z.object({ passkeys: z.array(passkeyView) });
export const passkeyAddRequest = z.object({ name: nameSchema, credential: passkeyCreation });
/** `recoveryCodes` are shown this once; null when there were some already. */
export const passkeyAddResponse = z.object({
  passkey: passkeyView,
  recoveryCodes: z.array(z.string()).nullable(),
});
export const passkeyRenameRequest = z.object({ name: nameSchema });
export const passkeyProofRequest = z.object({ credential: passkeyProof });
export const withPasskeyId = z.object({ id: idSchema });

export type PasskeyView = z.infer<typeof passkeyView>;
export type PasskeyAdded = z.infer<typeof passkeyAddResponse>;
