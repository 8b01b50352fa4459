import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as TlsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { eventually } from '@tallygate/testkit/eventually';
import { ManualTimers } from '@tallygate/testkit/manual-timers';
import { selfSigned, type TestCertificate } from '@tallygate/testkit/self-signed';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpServer, DEFAULT_LIMITS } from '../http/listener.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { Timers } from '../kernel/timers.ts';
import { readTlsPair, watchTlsPair } from './tls-files.ts';

let dir: string;
const closers: (() => void)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate tls '));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(dir, { recursive: true, force: true });
});

const files = () => ({ certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') });
/** As certificate tools do it: beside, then in place. */
function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
function write({ cert, key }: TestCertificate): void {
  put(files().certFile, cert);
  put(files().keyFile, key);
}

async function serve(timers?: Pick<Timers, 'after'>): Promise<{ port: number; warnings: string[] }> {
  const server = createHttpServer((_request, response) => response.end('hello'), {
    tls: readTlsPair(files()),
    limits: { ...DEFAULT_LIMITS, headersTimeoutMs: 1_000 },
  }) as TlsServer;
  const warnings: string[] = [];
  const stop = await watchTlsPair(files(), {
    apply: (pair) => server.setSecureContext(pair),
    logger: { ...silentLogger, warn: (message) => void warnings.push(message) },
    ...(timers && { timers }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(
    stop,
    () => server.closeAllConnections(),
    () => void server.close(),
  );
  return { port: (server.address() as AddressInfo).port, warnings };
}

/** The certificate that is in use, and the protocol agreed on. */
function handshake(
  port: number,
  version?: { minVersion: SecureVersion; maxVersion: SecureVersion; ciphers?: string },
) {
  return new Promise<{ fingerprint: string; protocol: string | null; alpn: string | false | null }>(
    (resolve, reject) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
        ...version,
      });
      socket.on('error', reject);
      socket.on('secureConnect', () => {
        const seen = {
          fingerprint: socket.getPeerCertificate().fingerprint256,
          protocol: socket.getProtocol(),
          alpn: socket.alpnProtocol,
        };
        socket.destroy();
        resolve(seen);
      });
    },
  );
}

describe('TLS in the server (CF-13)', () => {
  it('speaks TLS 1.2 and 1.3 with modern ciphers and HTTP/1.1, and nothing older', async () => {
    const pair = selfSigned();
    write(pair);
    const { port } = await serve();
    expect(await handshake(port)).toEqual({
      fingerprint: pair.fingerprint256,
      protocol: 'TLSv1.3',
      alpn: 'http/1.1',
    });
    expect((await handshake(port, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).protocol).toBe(
      'TLSv1.2',
    );
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await expect(handshake(port, old)).rejects.toThrow();
    const weak = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const;
    await expect(handshake(port, weak)).rejects.toThrow();
  });

  it('uses a renewed pair within a second, without dropping open connections', async () => {
    write(selfSigned());
    const time = new ManualTimers(0);
    const { port, warnings } = await serve(time);
    const open = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(open, 'secureConnect');
    const renewed = selfSigned({ serial: 2 });
    write(renewed);
    await time.advance(1_000);
    await eventually(
      'the new certificate',
      async () => (await handshake(port)).fingerprint === renewed.fingerprint256,
    );
    open.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    const [bytes] = (await once(open, 'data')) as [Buffer];
    expect(bytes.toString()).toContain('200 OK');
    open.destroy();
    expect(warnings).toEqual([]);
  });

  it('keeps the old pair while the new one is half-written, and says so', async () => {
    const old = selfSigned();
    write(old);
    const { port, warnings } = await serve();
    const renewed = selfSigned({ serial: 2 });
    put(files().certFile, renewed.cert.slice(0, 200));
    await eventually('a warning about half a file', () => warnings.length === 1);
    expect((await handshake(port)).fingerprint).toBe(old.fingerprint256);
    put(files().certFile, renewed.cert);
    await eventually('a warning about the other key', () => warnings.length === 2);
    expect((await handshake(port)).fingerprint).toBe(old.fingerprint256);
    rmSync(files().keyFile);
    await eventually('a warning about no key', () => warnings.length === 3);
    put(files().keyFile, renewed.key);
    await eventually(
      'the new certificate',
      async () => (await handshake(port)).fingerprint === renewed.fingerprint256,
    );
  });

  it('refuses to start with a pair that is none, naming the files and never what is in them', () => {
    const [one, other] = [selfSigned(), selfSigned()];
    write({ ...one, key: other.key });
    expect(() => readTlsPair(files())).toThrow(/key\.pem is not the one of the certificate/);
    write({ ...one, key: 'nonsense' });
    expect(() => readTlsPair(files())).toThrow(/not a certificate and its private key/);
    rmSync(files().certFile);
    expect(() => readTlsPair(files())).toThrow(/cannot be read \(ENOENT\)/);
  });

  it('closes connections that speak plain HTTP, or nothing at all, to the TLS port', async () => {
    write(selfSigned());
    const { port } = await serve();
    const plain = connectTcp(port, '127.0.0.1');
    plain.on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const mute = connectTcp(port, '127.0.0.1');
    mute.on('error', () => undefined);
    plain.resume();
    mute.resume();
    await Promise.all([once(plain, 'close'), once(mute, 'close')]);
  });
});
