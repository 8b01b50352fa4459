import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, isTest } from '../source-files.mjs';

/** How many promises each part of the contract has. */
const PARTS = { TW: 22, CF: 18, WT: 16, NX: 13, CW: 10, X: 8 };
const ID = /\b(?:TW|CF|WT|NX|CW|X)-\d{2}\b/g;
const ROW = /^\| *((?:TW|CF|WT|NX|CW|X)-\d{2}) *\|(.*)\|(.*)\|(.*)\| *$/;
const PLANNED = 'planned';

/** @typedef {{ id: string, promise: string, where: string, test: string, line: number }} Row */

/**
 * docs/contract.md has one row per promise; the files it names exist, the tests it names name the promise,
 * and no test names a promise without a row.
 * @param {string} root
 * @returns {string[]}
 */
export function checkContractTable(root) {
  const path = join(root, 'docs', 'contract.md');
  if (!existsSync(path)) return ['docs/contract.md is missing'];
  const rows = parseRows(readFileSync(path, 'utf8'));
  const wanted = Object.entries(PARTS).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, index) => `${part}-${String(index + 1).padStart(2, '0')}`),
  );
  const ids = rows.map(({ id }) => id);
  return [
    ...wanted.filter((id) => !ids.includes(id)).map((id) => `docs/contract.md has no row for ${id}`),
    ...ids
      .filter((id, index) => ids.indexOf(id) !== index)
      .map((id) => `docs/contract.md has two rows for ${id}`),
    ...ids
      .filter((id) => !wanted.includes(id))
      .map((id) => `docs/contract.md has a row for ${id}, which is no promise`),
    ...rows.flatMap((row) => checkRow(root, row)),
    ...checkTests(root, ids),
  ];
}

/** @param {string} text @returns {Row[]} */
function parseRows(text) {
  return text.split('\n').flatMap((line, index) => {
    const match = ROW.exec(line);
    if (match === null) return [];
    const [, id = '', promise = '', where = '', test = ''] = match.map((cell) => cell.trim());
    return [{ id, promise, where, test, line: index + 1 }];
  });
}

/** @param {string} root @param {Row} row */
function checkRow(root, { id, promise, where, test, line }) {
  const at = `docs/contract.md:${line} ${id}`;
  if (promise === '') return [`${at} has no promise`];
  if (where === PLANNED && test === PLANNED) return [];
  const findings = [];
  const places = pathsIn(where);
  const tests = pathsIn(test);
  if (places.length === 0) findings.push(`${at} names no place in backquotes, and is not ${PLANNED} either`);
  if (tests.length === 0) findings.push(`${at} names no test in backquotes, and is not ${PLANNED} either`);
  for (const path of [...places, ...tests])
    if (!existsSync(join(root, path))) findings.push(`${at} names ${path}, which does not exist`);
  for (const path of tests) {
    if (!isTest(path)) findings.push(`${at} names ${path} as a test, which it is not`);
    else if (existsSync(join(root, path)) && !readFileSync(join(root, path), 'utf8').includes(id))
      findings.push(`${at} names ${path}, which does not name ${id}`);
  }
  return findings;
}

/** @param {string} cell */
function pathsIn(cell) {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** @param {string} root @param {string[]} ids */
function checkTests(root, ids) {
  const tests = ['packages', 'tests', 'launcher', 'tools'].flatMap((folder) =>
    filesUnder(root, folder, /\.test\.tsx?$/),
  );
  return tests.flatMap((file) => {
    if (file.startsWith('tools/checks/')) return []; // its ids are planted
    const used = new Set(readFileSync(join(root, file), 'utf8').match(ID) ?? []);
    return [...used]
      .filter((id) => !ids.includes(id))
      .map((id) => `${file} names ${id}, which has no row in docs/contract.md`);
  });
}
