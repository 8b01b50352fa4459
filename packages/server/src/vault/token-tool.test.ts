import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { MasterKeyError } from './master-key.ts';
import { createTokenLock, type TokenOptions } from './token-lock.ts';

const PIN = 'pin-of-the-token-4711';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-tool-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program in the place of `pkcs11-tool` that notes how it was called and does what it is told. */
function tool(script: string): TokenOptions {
  const file = join(dir, 'pkcs11-tool');
  const note = join(dir, 'note.json');
  writeFileSync(
    file,
    `#!/usr/bin/env node
const { readFileSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
writeFileSync(${JSON.stringify(note)}, JSON.stringify({ args, env: process.env }));
const publicKey = () => readFileSync(${JSON.stringify(join(dir, 'public.der'))});
${script}
`,
  );
  chmodSync(file, 0o755);
  const PATH = [dir, dirname(process.execPath)].join(delimiter);
  return { module: '/lib/token.so', token: 'gate', key: 'master', pin: new Secret(PIN), env: { PATH } };
}
const noted = (): { args: string[]; env: Record<string, string> } =>
  JSON.parse(readFileSync(join(dir, 'note.json'), 'utf8'));
const publish = (key: KeyObject): void =>
  writeFileSync(join(dir, 'public.der'), key.export({ type: 'spki', format: 'der' }));
const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );

describe('the program that speaks to a token (CF-13)', () => {
  it('gets the PIN in its environment, never among its arguments, and nothing else of ours', async () => {
    publish(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    await createTokenLock(tool('process.stdout.write(publicKey())')).lock(randomBytes(32));
    const { args, env } = noted();
    expect(args.join(' ')).not.toContain(PIN);
    expect(args.join(' ')).toContain('--module /lib/token.so --token-label gate --label master');
    expect(Object.entries(env).filter(([, value]) => value.includes(PIN))).toHaveLength(1);
    expect(
      Object.keys(env).filter((name) => !/^(PATH|TALLYGATE_TOKEN_PIN|_|PWD|SHLVL|OLDPWD)$/.test(name)),
    ).toEqual([]);
  });

  it('is run without a shell: no label is a command', async () => {
    const options = { ...tool('process.exit(1)'), token: '$(touch hacked)', key: '; touch hacked #' };
    await failure(createTokenLock(options).lock(randomBytes(32)));
    const { args } = noted();
    expect(args).toContain('$(touch hacked)');
    expect(args).toContain('; touch hacked #');
  });

  it.each(['ec', 'ed25519'] as const)(
    'a key of another kind (%s) is refused, with how to make the right one',
    async (kind) => {
      const pair =
        kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
      publish(pair.publicKey);
      const error = await failure(
        createTokenLock(tool('process.stdout.write(publicKey())')).lock(randomBytes(32)),
      );
      expect(error).toBeInstanceOf(MasterKeyError);
      expect(error.message).toMatch(/no RSA public key "master".*--keypairgen/);
    },
  );

  it('output that is no key is no key', async () => {
    for (const script of [
      '',
      'process.stdout.write("error: none")',
      'process.stdout.write(Buffer.alloc(300))',
    ])
      expect((await failure(createTokenLock(tool(script)).lock(randomBytes(32)))).message).toMatch(
        /no RSA public key/,
      );
  });

  it('output without an end is cut', async () => {
    const flood = tool('process.stdout.write(Buffer.alloc(1024 * 1024)); setInterval(() => undefined, 1000)');
    expect(await failure(createTokenLock(flood).lock(randomBytes(32)))).toBeInstanceOf(MasterKeyError);
  });

  it('a complaint is one line of bounded length, without the PIN', async () => {
    const script = `process.stderr.write('Using slot 0\\nerror: ' + 'x'.repeat(5000) + '\\nerror: second ' + process.env.TALLYGATE_TOKEN_PIN + '\\n'); process.exit(1)`;
    const { message } = await failure(createTokenLock(tool(script)).lock(randomBytes(32)));
    expect(message.length).toBeLessThan(320);
    expect(message).toMatch(/cannot be used: error: x+/);
    expect(message).not.toContain(PIN);
    const silent = await failure(createTokenLock(tool('process.exit(3)')).lock(randomBytes(32)));
    expect(silent.message).toContain('the token gave no reason');
  });

  it('one that ends before it reads is no crash of ours', async () => {
    publish(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    const script = `if (args.includes('--decrypt')) { process.stdin.destroy(); process.exit(1); } process.stdout.write(publicKey())`;
    const lock = createTokenLock(tool(script));
    const locked = await lock.lock(randomBytes(32));
    const body = `${locked.split(' ')[0]} ${Buffer.alloc(1024 * 1024).toString('base64')}`;
    expect(await failure(lock.unlock(body))).toBeInstanceOf(MasterKeyError);
  });

  it('nothing is decrypted by another key than the one that locked', async () => {
    publish(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    const lock = createTokenLock(tool('process.stdout.write(publicKey())'));
    const locked = await lock.lock(randomBytes(32));
    publish(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    const { message } = await failure(lock.unlock(locked));
    expect(message).toContain(`locked by the token key ${locked.split(' ')[0]}`);
    expect(noted().args).not.toContain('--decrypt');
  });
});
