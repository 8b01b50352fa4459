import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ERROR_TABLE } from '../../packages/contract/src/errors.ts';
import { filesUnder } from '../source-files.mjs';

const MIN_LINES = 4;

/**
 * Every error code has a page that explains it, and every page a code.
 * @param {string} root @param {readonly string[]} [codes]
 * @returns {string[]}
 */
export function checkErrorDocs(root, codes = Object.keys(ERROR_TABLE)) {
  const findings = [];
  for (const code of codes) {
    const path = `docs/errors/${code}.md`;
    if (!existsSync(join(root, path)))
      findings.push(`${path} is missing: the error table has the code ${code}`);
    else findings.push(...checkPage(root, path, code));
  }
  for (const page of filesUnder(root, 'docs/errors', /\.md$/)) {
    const code = basename(page, '.md');
    if (code !== 'README' && !codes.includes(code))
      findings.push(`${page} explains a code that the error table does not have`);
  }
  return findings;
}

/** @param {string} root @param {string} path @param {string} code */
function checkPage(root, path, code) {
  const lines = readFileSync(join(root, path), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const findings = [];
  if (!lines[0]?.startsWith('# ') || !lines[0].includes(code))
    findings.push(`${path} does not begin with a heading that names ${code}`);
  if (lines.length < MIN_LINES)
    findings.push(`${path} is too short to say what the error means and how to mend it`);
  return findings;
}
