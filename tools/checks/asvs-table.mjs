import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTest } from '../source-files.mjs';
import { ASVS_IDS } from './asvs-ids.mjs';

const FILE = 'docs/security/asvs.md';
const STATES = ['met', 'partly', 'not met', 'not applicable'];
const PATH = /^`([^`]+)`$/;

/**
 * Rows of docs/security/asvs.md: each requirement once, its state one of four; what is met or partly met names a place and a
 * test that exist, what is not gives a reason. None of the required ones is left out.
 * @param {string} root
 * @param {readonly string[]} required
 * @returns {string[]}
 */
export function checkAsvsTable(root, required = ASVS_IDS) {
  const path = join(root, FILE);
  if (!existsSync(path)) return [`${FILE} is missing`];
  const seen = new Set();
  const findings = readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (!line.startsWith('| V')) return [];
      const [id = '', text = '', state = '', where = '', test = '', note = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      const at = `${FILE}:${index + 1} ${id}`;
      const again = seen.has(id) ? [`${at} stands there twice`] : [];
      seen.add(id);
      return [...again, ...checkRow(root, at, { id, text, state, where, test, note })];
    });
  if (seen.size === 0) return [`${FILE} has no rows`, ...findings];
  const missing = required.filter((id) => !seen.has(id)).map((id) => `${FILE} says nothing of ${id}`);
  return [...findings, ...missing];
}

/**
 * @param {string} root
 * @param {string} at
 * @param {{ id: string, text: string, state: string, where: string, test: string, note: string }} row
 */
function checkRow(root, at, { id, text, state, where, test, note }) {
  const findings = [];
  if (!/^V\d{1,2}\.\d{1,2}\.\d{1,2}$/.test(id)) findings.push(`${at} is no number of the standard`);
  if (text === '') findings.push(`${at} says nothing`);
  if (!STATES.includes(state))
    return [...findings, `${at} has the state "${state}", not one of ${STATES.join(', ')}`];
  if (state === 'not met' || state === 'not applicable')
    return note === '' ? [...findings, `${at} gives no reason`] : findings;
  return [...findings, ...checkFile(root, at, where, 'place'), ...checkFile(root, at, test, 'test')];
}

/**
 * @param {string} root
 * @param {string} at
 * @param {string} cell
 * @param {'place' | 'test'} what
 */
function checkFile(root, at, cell, what) {
  const file = PATH.exec(cell)?.[1];
  if (file === undefined) return [`${at} names no ${what}`];
  if (!existsSync(join(root, file))) return [`${at} names ${file}, which does not exist`];
  return what === 'test' && !isTest(file) ? [`${at} names ${file} as a test, which it is not`] : [];
}
