import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogFileOptions, openLogFile } from './log-file.ts';
import { createLogger, LOG_FIELDS, type LogFields } from './logger.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallygate-log-'));
  path = join(folder, 'gate.log');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const clock = { ms: Date.UTC(2026, 10, 22), now: () => clock.ms, monotonicMs: () => clock.ms };
const open = (change: Partial<LogFileOptions> = {}) =>
  openLogFile({ path, maxBytes: 100, maxAgeMs: 3_600_000, keep: 3, ...change }, clock);

/** Everything in the folder, oldest first, unpacked. */
async function contents(): Promise<{ name: string; text: string; mode: number }[]> {
  const names = (await readdir(folder)).sort(
    (a, b) => Number(a === 'gate.log') - Number(b === 'gate.log') || (a < b ? -1 : 1),
  );
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(folder, name));
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      return { name, text, mode: (await stat(join(folder, name))).mode & 0o777 };
    }),
  );
}

describe('openLogFile (CF-15)', () => {
  it('puts files aside by size, compresses them, keeps the newest, and loses no line of those', async () => {
    const file = open();
    const lines = Array.from({ length: 10 }, (_, index) => `${String(index).padStart(39, '.')}\n`);
    for (const line of lines) {
      file.write(line);
      clock.ms += 1_000;
    }
    await file.close();
    const found = await contents();
    expect(found.map(({ name }) => name.replace(/\d{4}-.*Z/, 'TIME'))).toEqual([
      'gate.log.TIME.gz',
      'gate.log.TIME.gz',
      'gate.log.TIME.gz',
      'gate.log',
    ]);
    expect(found.map(({ text }) => text).join('')).toBe(lines.slice(2).join(''));
    expect(found.every(({ mode }) => mode === 0o600)).toBe(true);
  });

  it('puts a file aside by age, and two in one moment under two names', async () => {
    const file = open({ maxBytes: 10 });
    file.write('first\n');
    clock.ms += 3_600_000;
    file.write('second\n');
    file.write('third\n');
    await file.close();
    expect((await contents()).map(({ text }) => text)).toEqual(['first\n', 'second\n', 'third\n']);
  });

  it('goes on in a file that is there, makes it private, and compresses what a killed process left', async () => {
    await writeFile(path, 'before\n');
    await chmod(path, 0o644);
    await writeFile(`${path}.2026-01-01T00-00-00-000Z`, 'left\n');
    await writeFile(`${path}.2026-01-01T00-00-00-000Z.gz`, 'half a file');
    await writeFile(`${path}.txt`, 'somebody else’s');
    const file = open();
    file.write('after\n');
    await file.close();
    file.write('too late\n');
    const found = await contents();
    expect(found.map(({ name }) => name)).toEqual([
      'gate.log.2026-01-01T00-00-00-000Z.gz',
      'gate.log.txt',
      'gate.log',
    ]);
    expect(found.map(({ text }) => text)).toEqual(['left\n', 'somebody else’s', 'before\nafter\n']);
    expect(found.at(-1)?.mode).toBe(0o600);
  });
});

describe('createLogger (TW-14, CF-15)', () => {
  it('writes the fields of the list and no other, whatever it is given', () => {
    const lines: string[] = [];
    const logger = createLogger('debug', { write: (line) => lines.push(line) });
    const secret = { apiKey: 'sk-canary', body: 'a prompt', password: 'p', requestId: 'r1' };
    logger.info('message', secret as LogFields);
    logger.error('failed', { error: new Error('with sk-canary in it'), status: 500 });
    const [first, second] = lines.map((line) => JSON.parse(line));
    expect(Object.keys(first).sort()).toEqual(['level', 'msg', 'requestId', 'time']);
    expect(second.error.name).toBe('Error');
    expect(lines.join('')).not.toMatch(/canary|prompt/);
  });

  it('has no field that could hold a key, a prompt or an answer', () => {
    expect([...LOG_FIELDS].sort()).toMatchInlineSnapshot(`
      [
        "accountId",
        "address",
        "bytes",
        "code",
        "count",
        "durationMs",
        "keyId",
        "method",
        "offset",
        "path",
        "port",
        "provider",
        "reason",
        "requestId",
        "route",
        "segment",
        "signal",
        "status",
        "userId",
      ]
    `);
  });
});
