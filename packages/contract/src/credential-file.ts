import { z } from 'zod';

const secret = z
  .string()
  .min(1)
  .max(16_384)
  .regex(/^[\x21-\x7e]+$/, 'must be ASCII without spaces');
const shared = {
  accountId: z.string().min(1).max(200).optional(),
  /** Where its requests go, when not to the provider's own address. */
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  allowPrivateUpstream: z.boolean().optional(),
  /** What clients of the domain send; only its hash is kept. */
  client_api_key: secret.max(512).optional(),
};

/** A credential file `<domain>.credentials.json`, in both shapes that claude-nexus-proxy has. Unknown fields are passed over. */
export const credentialFileSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('api_key'), ...shared, api_key: secret }),
  z.object({
    type: z.literal('oauth'),
    ...shared,
    oauth: z.object({
      accessToken: secret.nullish(),
      refreshToken: secret,
      /** Epoch milliseconds. */
      expiresAt: z.number().int().positive().max(8.64e15).optional(),
      scopes: z.array(z.string().max(200)).max(50).optional(),
    }),
  }),
]);
export type CredentialFile = z.infer<typeof credentialFileSchema>;

const SUFFIX = '.credentials.json';

/** The domain that a file of this name is for, with its port where there is one; null for other files. */
export function credentialDomain(fileName: string): string | null {
  if (!fileName.endsWith(SUFFIX)) return null;
  const domain = fileName.slice(0, -SUFFIX.length);
  return /^[a-zA-Z0-9.\-:]{1,253}$/.test(domain) && !domain.includes('..') ? domain.toLowerCase() : null;
}

/** What a file says, or what is wrong with it: in words that quote nothing of it. */
export function parseCredentialFile(text: string): { file: CredentialFile } | { problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: 'is not JSON' };
  }
  const parsed = credentialFileSchema.safeParse(json);
  if (parsed.success) return { file: parsed.data };
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  return { problem: path === '' ? 'is not a credential file' : `has no usable "${path}"` };
}
