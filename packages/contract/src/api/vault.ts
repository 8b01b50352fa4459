import { z } from 'zod';

export const vaultResponse = z.object({
  /** Ids name keys and tell nothing about them. */
  masterKey: z.object({ id: z.string(), source: z.enum(['environment', 'file', 'keychain', 'pkcs11']) }),
  /** A rotation of the master key is under way to this one. */
  nextMasterKeyId: z.string().nullable(),
  dataKeys: z.array(
    z.object({ id: z.string(), createdAt: z.string(), active: z.boolean(), values: z.number().int() }),
  ),
  /** Values sealed before there were data keys, or not at all. */
  otherValues: z.number().int(),
  /** The rotation that is running now. */
  job: z
    .object({ kind: z.enum(['data-key', 'master-key']), done: z.number().int(), total: z.number().int() })
    .nullable(),
});
export const dataKeyRotationResponse = z.object({ keyId: z.string(), resealed: z.number().int() });
/** `newKey` where the master key comes from the environment: 32 bytes in base64 or hexadecimal. */
export const masterKeyRotateRequest = z
  .object({
    newKey: z
      .string()
      .regex(/^([\da-fA-F]{64}|[A-Za-z\d+/_-]{43}=?)$/, 'must be 32 bytes in base64 or hexadecimal')
      .optional(),
  })
  .strict();
export const masterKeyRotationResponse = z.object({
  keyId: z.string(),
  previousKeyId: z.string(),
  previousKeyFile: z.string().nullable(),
  restartNeeded: z.boolean(),
});
/** A change that a signed-in person starts: `newKey` is the key the server made, this once, where it is not a file. */
export const masterKeyChangeResponse = masterKeyRotationResponse.extend({ newKey: z.string().nullable() });
export const masterKeyGivenUpResponse = z.object({
  /** The key that was to come, and opens nothing now. */
  keyId: z.string(),
});
export type VaultView = z.infer<typeof vaultResponse>;
export type DataKeyRotation = z.infer<typeof dataKeyRotationResponse>;
export type MasterKeyRotation = z.infer<typeof masterKeyRotationResponse>;
export type MasterKeyChange = z.infer<typeof masterKeyChangeResponse>;
export type MasterKeyGivenUp = z.infer<typeof masterKeyGivenUpResponse>;
