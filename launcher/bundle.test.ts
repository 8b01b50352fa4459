// What a bundle may break without anybody noticing until it is asked for: each part of it, on its own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PROGRAM_FILES, PROGRAM_FOLDER } from './program-files.mjs';

const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), PROGRAM_FOLDER);
/** They do their work when they are imported; the tests of the server start them. */
const STARTED = ['main.js', 'thread.js', 'ledger-thread.js'];
const files: string[] = JSON.parse(readFileSync(join(FOLDER, PROGRAM_FILES), 'utf8'));
const parts = files.filter((name) => !STARTED.includes(name));

it('every part of the program can be loaded, in whatever order', () => {
  const script = `
    const failed = [];
    for (const name of ${JSON.stringify(parts)})
      await import(${JSON.stringify(`file://${FOLDER}/`)} + name).catch((error) => failed.push(name + ': ' + error.message));
    console.log(JSON.stringify(failed));`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script];
  expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toEqual([]);
  expect(parts.length).toBeGreaterThan(100);
});

const textOf = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

/** What is loaded with these, before anything is asked for. */
function loadedWith(names: readonly string[]): Set<string> {
  const loaded = new Set(names);
  for (const name of loaded)
    for (const [, part = ''] of textOf(name).matchAll(/^import .*?"\.\/([^"]+)";$/gm)) loaded.add(part);
  return loaded;
}

it('a start loads neither the client that is built into Node nor what only some installations use', () => {
  const loaded = [...loadedWith(['main.js', ...files.filter((name) => /^(assemble|start)-/.test(name))])];
  const of = (pattern: RegExp, names: readonly string[]) =>
    names.filter((name) => pattern.test(textOf(name)));
  expect(of(/^import .*from "node:http";$/m, loaded)).toEqual([]);
  for (const only of [
    /\bRedisLink = class\b/,
    /\bSMTPConnection = class\b/,
    /\bfunction generateRegistrationOptions\b/,
  ]) {
    expect(of(only, files)).not.toEqual([]);
    expect(of(only, loaded)).toEqual([]);
  }
});
