import { type ExecFileException, execFile } from 'node:child_process';
import { constants, createHash, createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';
import type { KeyLock } from './key-lock.ts';
import { MasterKeyError } from './master-key.ts';

export interface TokenOptions {
  /** Library of the token's maker. */
  module: string;
  /** Label of the token. */
  token: string;
  /** Label of the RSA key pair on it. */
  key: string;
  pin: Secret;
  /** What the library may see of the environment; the PIN is added to it, never to the arguments. */
  env: Readonly<Record<string, string>>;
}

const TOOL = 'pkcs11-tool';
const PIN_VARIABLE = 'TALLYGATE_TOKEN_PIN';
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/**
 * OAEP with SHA-1 (RFC 8017 §7.1): what every token knows. Its security does not rest on collisions, the weakness
 * of SHA-1.
 */
const OAEP = ['--mechanism', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1'];

/** Its last line of complaint; the tool repeats neither PIN nor key. */
function reasonOf(error: ExecFileException, stderr: string): string {
  if (error.code === 'ENOENT') return `the program ${TOOL} is not installed (Debian: apt install opensc)`;
  const lines = stderr.split('\n').filter((line) => /error|not found|no slot|failed/i.test(line));
  return lines[0]?.trim().slice(0, 200) ?? 'the token gave no reason';
}

/** Runs the tool without a shell, bounded in time and output. @throws MasterKeyError */
function run(options: TokenOptions, args: readonly string[], input: Buffer | null): Promise<Buffer> {
  const { module, token, key } = options;
  const common = ['--module', module, '--token-label', token, '--label', key];
  const pin = ['--login', '--pin', `env:${PIN_VARIABLE}`];
  const env = { ...options.env, [PIN_VARIABLE]: options.pin.reveal() };
  const limits = { env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: 'buffer' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(TOOL, [...common, ...pin, ...args], limits, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const reason = reasonOf(error, stderr.toString('utf8'));
      reject(new MasterKeyError(`The key "${key}" of the token "${token}" cannot be used: ${reason}.`));
    });
    child.stdin?.on('error', () => undefined); // the tool left before it read: its exit says why
    child.stdin?.end(input ?? undefined);
  });
}

/** Names a key pair without telling anything about it. */
function fingerprint(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}

async function publicKeyOf(options: TokenOptions): Promise<KeyObject> {
  const der = await run(options, ['--read-object', '--type', 'pubkey'], null);
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // said below, like a key of another kind
  }
  throw new MasterKeyError(
    `The token "${options.token}" has no RSA public key "${options.key}". Make the pair with: ${TOOL} --keypairgen --key-type rsa:3072 --label ${options.key}`,
  );
}

/** A lock whose key is an RSA pair on a PKCS#11 token (HSM, smart card); the private key never leaves it. */
export function createTokenLock(options: TokenOptions): KeyLock {
  return {
    kind: 'pkcs11',
    name: `the key "${options.key}" of the token "${options.token}"`,
    async lock(masterKey) {
      const key = await publicKeyOf(options);
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const locked = publicEncrypt({ key, padding, oaepHash: 'sha1' }, Buffer.from(masterKey));
      return `${fingerprint(key)} ${locked.toString('base64')}`;
    },
    async unlock(body) {
      const [needed = '', locked = ''] = body.split(' ');
      const present = fingerprint(await publicKeyOf(options));
      if (needed !== present) {
        throw new MasterKeyError(
          `The master key is locked by the token key ${needed}; the key "${options.key}" of the token "${options.token}" is ${present}. Use the token it was locked with.`,
        );
      }
      return run(options, ['--decrypt', ...OAEP], Buffer.from(locked, 'base64'));
    },
  };
}
