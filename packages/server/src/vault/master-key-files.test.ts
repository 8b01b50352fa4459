import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MasterKeyError } from './master-key.ts';
import { asKeyProblem, nextKeyPath, publishNextKey } from './master-key-files.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-files-'));
  path = join(dir, 'master.key');
  writeFileSync(path, 'present', { mode: 0o600 });
  writeFileSync(nextKeyPath(path), 'next', { mode: 0o600 });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const text = (file: string): string => readFileSync(file, 'utf8');

describe('the next master key (CF-13)', () => {
  it('takes the place of the present one, which stays under its id for old backups', async () => {
    const kept = await publishNextKey(path, 'aabbccdd');
    expect(kept).toBe(`${path}.aabbccdd`);
    expect([text(path), text(kept)]).toEqual(['next', 'present']);
    expect(readdirSync(dir).sort()).toEqual(['master.key', 'master.key.aabbccdd']);
    for (const file of [path, kept]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('goes on where an attempt was cut off after the present one was kept', async () => {
    await publishNextKey(path, 'one');
    writeFileSync(nextKeyPath(path), 'third', { mode: 0o600 });
    writeFileSync(`${path}.two`, 'kept by the attempt before', { mode: 0o600 });
    expect(text(await publishNextKey(path, 'two'))).toBe('kept by the attempt before');
    expect(text(path)).toBe('third');
  });

  it('changes nothing when there is none, or the folder cannot be written', async () => {
    rmSync(nextKeyPath(path));
    await expect(publishNextKey(path, 'aa')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(text(path)).toBe('present');
    if (process.getuid?.() === 0) return; // root writes everywhere
    writeFileSync(nextKeyPath(path), 'next', { mode: 0o600 });
    chmodSync(dir, 0o500);
    await expect(publishNextKey(path, 'bb')).rejects.toMatchObject({ code: 'EACCES' });
    chmodSync(dir, 0o700);
    expect([text(path), existsSync(`${path}.bb`)]).toEqual(['present', false]);
  });
});

describe('what is wrong with the file of the master key', () => {
  it('is told to the operator: a folder that cannot be written, a key that does not fit, a lock that is gone', async () => {
    const readOnly = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', path });
    expect(asKeyProblem(readOnly)).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/cannot be written \(EROFS\).*present key stays in force/),
    });
    const locked = new MasterKeyError('The token does not answer.');
    expect(asKeyProblem(locked)).toMatchObject({ code: 'conflict', message: locked.message, cause: locked });
  });

  it('and nothing else is taken for it', () => {
    for (const other of [new Error('x'), Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'x', null])
      expect(asKeyProblem(other)).toBe(other);
  });
});
