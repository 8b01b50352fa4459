import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeClaudeSettings } from './write-claude-settings.ts';

const NOW = new Date('2026-11-22T12:00:00.000Z');
const VARIABLES = { ANTHROPIC_BASE_URL: 'http://127.0.0.1:4100', ANTHROPIC_AUTH_TOKEN: 'tg_key' };
let home: string;
let path: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tallygate-cli-'));
  path = join(home, '.claude', 'settings.json');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const write = () => writeClaudeSettings(path, VARIABLES, NOW);

async function given(text: string, mode = 0o644) {
  await mkdir(join(home, '.claude'), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe('writeClaudeSettings', () => {
  it('makes the file, for its owner only', async () => {
    expect(await write()).toEqual({ path, changed: true, backup: null, warnings: [] });
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ env: VARIABLES });
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(join(home, '.claude'))).toEqual(['settings.json']);
  });

  it('keeps everything else, in its order and indentation, and the file as it was beside it', async () => {
    const before =
      '{\n\t"model": "opus",\n\t"env": {\n\t\t"FOO": "1",\n\t\t"ANTHROPIC_BASE_URL": "old"\n\t},\n\t"hooks": {"a": [1]}\n}\n';
    await given(before);
    const { backup } = await write();
    const after = await readFile(path, 'utf8');
    expect(Object.keys(JSON.parse(after))).toEqual(['model', 'env', 'hooks']);
    expect(JSON.parse(after)).toEqual({ model: 'opus', env: { FOO: '1', ...VARIABLES }, hooks: { a: [1] } });
    expect(after).toContain('\n\t"model"');
    expect(await readFile(backup ?? '', 'utf8')).toBe(before);
    expect([await modeOf(path), await modeOf(backup ?? '')]).toEqual([0o600, 0o600]);
  });

  it('changes nothing the second time', async () => {
    await write();
    const first = await stat(path);
    expect(await write()).toMatchObject({ changed: false, backup: null });
    expect((await stat(path)).ino).toBe(first.ino);
  });

  it.each([
    ['not JSON', '{"env": '],
    ['with comments', '{ // mine\n"env": {} }'],
    ['a list', '[]'],
    ['an env that is no object', '{"env": "x"}'],
    ['an env that is a list', '{"env": []}'],
  ])('leaves a file alone that is %s', async (_, text) => {
    await given(text);
    await expect(write()).rejects.toMatchObject({ code: 'client_settings_invalid' });
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(join(home, '.claude'))).toEqual(['settings.json']);
  });

  it('takes an empty file and one with a byte order mark', async () => {
    for (const text of ['', '\ufeff{"model":"x"}']) {
      await rm(join(home, '.claude'), { recursive: true, force: true });
      await given(text);
      await write();
      expect(JSON.parse(await readFile(path, 'utf8')).env).toEqual(VARIABLES);
    }
  });

  it('writes through a link instead of replacing it', async () => {
    const real = join(home, 'dotfiles.json');
    await mkdir(join(home, '.claude'));
    await writeFile(real, '{"model":"x"}');
    await symlink(real, path);
    expect((await write()).path).toBe(real);
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({ model: 'x', env: VARIABLES });
  });

  it('warns of a second credential', async () => {
    await given('{"env":{"ANTHROPIC_API_KEY":"sk"},"apiKeyHelper":"x.sh"}');
    const { warnings } = await write();
    expect(warnings).toEqual([
      expect.stringContaining('ANTHROPIC_API_KEY'),
      expect.stringContaining('apiKeyHelper'),
    ]);
  });
});
