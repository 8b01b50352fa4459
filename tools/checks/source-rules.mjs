import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, isTest } from '../source-files.mjs';
import { tokenize } from '../tokens.mjs';

const SERVER = 'packages/server/src';
/** Words that people put into passwords. */
const PASSWORDS = `${SERVER}/identity/common-passwords.ts`;
const CODE = /\.(?:tsx?|mjs)$/;

/** A rule of code is switched off only with a reason that a reader can judge. */
const SUPPRESSION =
  /^(?:\/\/|\/\*+)\s*(?:\{?\/\*\s*)?(@ts-(?:expect-error|ignore|nocheck)|biome-ignore(?:-all|-start|-end)?)\b(.*)$/s;
const MIN_REASON_CHARS = 6;

/**
 * @param {string} root
 * @returns {string[]}
 */
export function checkSuppressions(root) {
  const files = ['packages', 'tests', 'bench', 'launcher', 'tools'].flatMap((folder) =>
    filesUnder(root, folder, CODE),
  );
  return files.flatMap((file) =>
    tokenize(readFileSync(join(root, file), 'utf8'))
      .filter(({ kind }) => kind === 'comment')
      .flatMap(({ text, line }) => {
        const problem = suppressionProblem(text);
        return problem === null ? [] : [`${file}:${line} ${problem}`];
      }),
  );
}

/** @param {string} comment */
function suppressionProblem(comment) {
  const [, name = '', rest = ''] = SUPPRESSION.exec(comment) ?? [];
  if (name === '') return null;
  if (name === '@ts-ignore' || name === '@ts-nocheck')
    return `${name} hides more than it names: use @ts-expect-error with a reason`;
  const reason = name.startsWith('biome') ? (rest.split(/:\s/).slice(1).join(': ') ?? '') : rest;
  return reason.replace(/[\s:*/–-]+/g, ' ').trim().length >= MIN_REASON_CHARS
    ? null
    : `${name} gives no reason`;
}

/** Where the name of a provider or of an engine may be a value: its own folder, and where all are put together. */
const NAMES = [
  {
    what: 'a provider',
    folder: 'providers',
    not: ['shared'],
    more: [],
    allowed: [`${SERVER}/providers/`, `${SERVER}/wire/`, `${SERVER}/accounting/generated/`, PASSWORDS],
  },
  {
    what: 'a database engine',
    folder: 'store',
    not: ['migrations', 'queries'],
    more: ['postgresql', 'mysql', 'mariadb'],
    allowed: [`${SERVER}/store/`, `${SERVER}/wire/`, PASSWORDS],
  },
];

/**
 * Nobody asks who an adapter is: no string that is the name of one stands outside its folder.
 * @param {string} root
 * @returns {string[]}
 */
export function checkAdapterNames(root) {
  const files = filesUnder(root, SERVER, CODE).filter((file) => !isTest(file));
  return NAMES.flatMap(({ what, folder, not, more, allowed }) => {
    const names = new Set([
      ...foldersIn(root, `${SERVER}/${folder}`).filter((name) => !not.includes(name)),
      ...more,
    ]);
    const checked = files.filter((file) => !allowed.some((path) => file.startsWith(path)));
    return checked.flatMap((file) =>
      tokenize(readFileSync(join(root, file), 'utf8'))
        .filter(({ kind, text }) => kind === 'string' && names.has(text))
        .map(({ text, line }) => `${file}:${line} names ${what}: '${text}'`),
    );
  });
}

/** @param {string} root @param {string} folder */
function foldersIn(root, folder) {
  const inner = filesUnder(root, folder).map((file) => file.slice(folder.length + 1).split('/'));
  return [...new Set(inner.filter((parts) => parts.length > 1).map(([name = '']) => name))];
}
