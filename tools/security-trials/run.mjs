// Takes each protection away in a copy of the repository and sees which tests fail; writes docs/security/proof.md.
// Usage: node tools/security-trials/run.mjs
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutProtection } from './apply-trial.mjs';
import { TRIALS } from './trials.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TRIAL_TIMEOUT_MS = 10 * 60_000;
/** What a test of the trials takes at most where nothing is wrong; one that waits for a lost protection waits this long. */
const TEST_TIMEOUT_MS = 30_000;

/** @typedef {{ file: string, test: string, message: string }} Failure */

/** A clone with packages of its own: links to this folder's would bring the protection back. */
function makeCopy() {
  const folder = join(mkdtempSync(join(tmpdir(), 'tallygate-trials-')), 'copy');
  execFileSync('git', ['clone', '--quiet', ROOT, folder]);
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], { cwd: folder, stdio: 'inherit' });
  return folder;
}

/** @param {string} folder @param {string[]} tests @returns {Failure[]} */
function failuresOf(folder, tests) {
  const output = join(dirname(folder), 'out.json');
  rmSync(output, { force: true });
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const bounds = [`--testTimeout=${TEST_TIMEOUT_MS}`, '--reporter=json', `--outputFile=${output}`];
  const args = [vitest, 'run', ...tests, ...bounds];
  spawnSync(process.execPath, args, { cwd: folder, stdio: 'ignore', timeout: TRIAL_TIMEOUT_MS });
  const { testResults } = JSON.parse(readFileSync(output, 'utf8'));
  return testResults.flatMap((/** @type {any} */ { name, assertionResults }) =>
    assertionResults
      .filter((/** @type {any} */ { status }) => status === 'failed')
      .map((/** @type {any} */ { fullName, failureMessages }) => ({
        file: relative(folder, name),
        test: fullName,
        message: firstLine(failureMessages?.[0] ?? ''),
      })),
  );
}

/** @param {string} text */
function firstLine(text) {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** @param {{ trial: import('./trials.mjs').Trial, failures: Failure[] }[]} results @param {string} commit */
function page(results, commit) {
  const rows = results.map(({ trial, failures: [first, ...rest] }) => {
    const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
    const failed = first === undefined ? '**none**' : `\`${first.file}\`: ${cell(first.test)}${more}`;
    return `| ${cell(trial.protects)} | ${cell(trial.against)} | \`${trial.file}\` | ${failed} | ${cell(first?.message ?? '')} |`;
  });
  return `# Proof

A test that cannot fail proves nothing. Each protection below was taken away in a copy of the repository, at commit
\`${commit}\`, and the tests were run: this is what failed. \`node tools/security-trials/run.mjs\` does it again and writes this
page; the edits stand in \`tools/security-trials/trials.mjs\`, and \`npm test\` checks that each of them still fits its file.

| protection taken away | what it stops | where | test that failed | how |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

const folder = makeCopy();
try {
  const results = [];
  for (const trial of TRIALS) {
    const { path, before, after } = withoutProtection(folder, trial);
    writeFileSync(path, after);
    const failures = failuresOf(folder, trial.tests);
    writeFileSync(path, before);
    console.log(
      `${failures.length === 0 ? 'NOTHING FAILED' : `${failures.length} failed`}: ${trial.protects}`,
    );
    results.push({ trial, failures });
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: folder, // what was tried, whatever was committed meanwhile
    encoding: 'utf8',
  }).trim();
  mkdirSync(join(ROOT, 'docs/security'), { recursive: true });
  writeFileSync(join(ROOT, 'docs/security/proof.md'), page(results, commit));
  process.exitCode = results.every(({ failures }) => failures.length > 0) ? 0 : 1;
} finally {
  rmSync(dirname(folder), { recursive: true, force: true });
}
