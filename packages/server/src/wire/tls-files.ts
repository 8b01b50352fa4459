import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../kernel/logger.ts';
import { systemTimers, type Timers } from '../kernel/timers.ts';
import { StartError } from './start-error.ts';

export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

/** TLS 1.2 with forward secrecy and authenticated encryption, and 1.3: RFC 9325 §4.2, which all clients of the last ten years speak. */
const PROTOCOL = {
  minVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
} as const satisfies ServerOptions;

/** Well below the second within which a renewed certificate has to be in use. */
const LOOK_EVERY_MS = 300;

/** What OpenSSL says about a file may quote it; what an operator needs is which file and what to do. */
function refuse(what: string, fix: string, cause?: unknown): never {
  throw new StartError(`${what} ${fix}`, { cause });
}

function readPem(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    return refuse(
      `The ${what} ${path} cannot be read (${reason}).`,
      'Check the path and who may read it.',
      error,
    );
  }
}

/** Parses both, the chain included. */
function belongTogether(cert: Buffer, key: Buffer, { certFile, keyFile }: TlsFiles): boolean {
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return false;
    createSecureContext({ cert, key, ...PROTOCOL });
    return true;
  } catch (error) {
    return refuse(
      `${certFile} and ${keyFile} are not a certificate and its private key.`,
      'Both have to be complete PEM files, the key without a passphrase.',
      error,
    );
  }
}

/**
 * Reads certificate and key and makes sure that they belong together.
 * @throws StartError naming the file and what to do
 */
export function readTlsPair({ certFile, keyFile }: TlsFiles): ServerOptions {
  const cert = readPem(certFile, 'TLS certificate');
  const key = readPem(keyFile, 'TLS key');
  if (!belongTogether(cert, key, { certFile, keyFile })) {
    refuse(
      `The key in ${keyFile} is not the one of the certificate in ${certFile}.`,
      'Name the matching pair.',
    );
  }
  return { cert, key, ...PROTOCOL };
}

async function fingerprint({ certFile, keyFile }: TlsFiles): Promise<string> {
  const seen = await Promise.all(
    [certFile, keyFile].map((path) => stat(path, { bigint: true }).catch(() => null)),
  );
  return seen.map((file) => (file === null ? 'none' : `${file.ino} ${file.size} ${file.mtimeNs}`)).join(' ');
}

/**
 * Looks at the files several times a second (links that are swapped and network file systems tell no watcher) and
 * hands on each new pair that holds together. While the pair does not, the old one stays in use.
 * @returns ends it
 */
export async function watchTlsPair(
  files: TlsFiles,
  deps: { apply: (pair: ServerOptions) => void; logger: Logger; timers?: Pick<Timers, 'after'> },
): Promise<() => void> {
  const { after } = deps.timers ?? systemTimers;
  let known = await fingerprint(files);
  let ended = false;
  let callOff: () => void;
  async function look(): Promise<void> {
    const now = await fingerprint(files);
    if (now === known) return;
    known = now;
    try {
      deps.apply(readTlsPair(files));
      deps.logger.info('the TLS certificate was read again', { path: files.certFile });
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown reason';
      deps.logger.warn('the TLS certificate was changed but cannot be used; the previous one stays', {
        reason,
      });
    }
  }
  function lookLater(): void {
    callOff = after(LOOK_EVERY_MS, () => {
      void look().finally(() => {
        if (!ended) lookLater();
      });
    });
  }
  lookLater();
  return () => {
    ended = true;
    callOff();
  };
}
