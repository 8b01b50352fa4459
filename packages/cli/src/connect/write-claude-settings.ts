import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliError } from '../cli-error.ts';

export interface WrittenSettings {
  path: string;
  changed: boolean;
  /** The file as it was before; null when there was none or nothing changed. */
  backup: string | null;
  warnings: string[];
}

/** A settings file is written by hand; one larger than this is something else. */
const MAX_BYTES = 4 * 1024 * 1024;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function refuse(path: string, why: string): CliError {
  return new CliError('client_settings_invalid', `${path} cannot be merged into; nothing was changed.`, {
    why,
    fix: 'Mend the file, or put in by hand what "tallygate connect claude-code" prints.',
  });
}

async function readText(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw refuse(path, `It is larger than ${MAX_BYTES} bytes.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parse(path: string, text: string): { settings: Json; env: Json } {
  let settings: unknown;
  try {
    settings = JSON.parse(text.replace(/^\ufeff/, '') || '{}');
  } catch {
    throw refuse(path, 'It is not valid JSON.');
  }
  if (!isObject(settings)) throw refuse(path, 'It does not hold a JSON object.');
  const env = settings.env ?? {};
  if (!isObject(env)) throw refuse(path, 'Its "env" is not an object.');
  return { settings, env };
}

function warningsFor(settings: Json, env: Json): string[] {
  const warnings: string[] = [];
  if (env.ANTHROPIC_API_KEY) {
    warnings.push('"env" also sets ANTHROPIC_API_KEY: Claude Code then sends two credentials. Remove it.');
  }
  if (settings.apiKeyHelper) {
    warnings.push('"apiKeyHelper" is set as well: Claude Code then sends two credentials. Remove it.');
  }
  return warnings;
}

/** The key goes into the file, so it becomes its owner's alone; written whole beside it and moved over it. */
async function replaceFile(path: string, text: string, expected: string | null): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if ((await readText(path)) !== expected) {
      throw refuse(path, 'It was changed by another program in this moment. Try again.');
    }
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A settings file that is a link (into a dotfiles folder) stays one: what it leads to is written. */
async function throughLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}

/**
 * Merges variables into the `env` of a Claude Code settings file. Everything else in it is kept; the old file
 * is kept beside it; on any doubt nothing is changed.
 * @throws CliError `client_settings_invalid`
 */
export async function writeClaudeSettings(
  settingsPath: string,
  variables: Readonly<Record<string, string>>,
  now: Date,
): Promise<WrittenSettings> {
  await mkdir(dirname(settingsPath), { recursive: true, mode: 0o700 });
  const path = await throughLinks(settingsPath);
  const before = await readText(path);
  const { settings, env } = parse(path, before ?? '');
  const warnings = warningsFor(settings, env);
  if (Object.entries(variables).every(([name, value]) => env[name] === value)) {
    return { path, changed: false, backup: null, warnings };
  }
  const indent = /^([ \t]+)\S/m.exec(before ?? '')?.[1] ?? '  ';
  const text = `${JSON.stringify({ ...settings, env: { ...env, ...variables } }, null, indent)}\n`;
  let backup: string | null = null;
  if (before !== null) {
    backup = `${path}.${now.toISOString().replace(/[-:]/g, '')}.backup`;
    await writeFile(backup, before, { flag: 'wx', mode: 0o600 });
  }
  await replaceFile(path, text, before);
  return { path, changed: true, backup, warnings };
}
