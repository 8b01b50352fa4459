import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** A signing key in the form that libraries for Standard Webhooks take. */
export function signingSecretText(key: Uint8Array): string {
  return `${PREFIX}${Buffer.from(key).toString('base64')}`;
}

/** Headers of Standard Webhooks: the signature covers id, time and body. */
export function signatureHeaders(
  message: { id: string; atMs: number; body: string },
  signingSecret: string,
): Record<string, string> {
  const key = Buffer.from(signingSecret.slice(PREFIX.length), 'base64');
  const seconds = Math.floor(message.atMs / 1000);
  const signed = `${message.id}.${seconds}.${message.body}`;
  const signature = createHmac('sha256', key).update(signed).digest('base64');
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
