// Everything that can be said about the repository without running it. Usage: npm run check [-- names…]
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureOf } from './run-tool.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (/** @type {string} */ path) => join(ROOT, 'node_modules', path);
const TSC = bin('typescript/bin/tsc');

/** A note is said beside the result and fails nothing. @typedef {string[] | { findings: string[], note: string | null }} Checked */

/** How many run at once: most are programs that wait for nothing but a processor. */
const LANES = Math.min(4, Math.max(2, availableParallelism()));

/** One that names another, further up, begins once that one has ended. @typedef {{ name: string, after?: string, run: () => Promise<Checked> }} Check */

/** In the order in which they begin: what takes long comes first. @type {Check[]} */
const CHECKS = [
  {
    name: 'format and lint (Biome)',
    run: () =>
      failureOf(ROOT, [bin('@biomejs/biome/bin/biome'), 'ci', '--max-diagnostics=60', '--colors=off', '.']),
  },
  { name: 'types: packages', run: () => failureOf(ROOT, [TSC, '-b', '--pretty', 'false']) },
  {
    name: 'types: dashboard',
    run: () => failureOf(ROOT, [TSC, '-p', 'packages/dashboard', '--pretty', 'false']),
  },
  {
    name: 'types: tests',
    run: () => failureOf(ROOT, [TSC, '-p', 'tsconfig.tests.json', '--pretty', 'false']),
  },
  {
    name: 'types: tools',
    run: () => failureOf(ROOT, [TSC, '-p', 'tsconfig.tools.json', '--pretty', 'false']),
  },
  {
    name: 'unused code and dependencies (knip)',
    run: () => failureOf(ROOT, [bin('knip/bin/knip.js'), '--no-progress']),
  },
  {
    name: 'layers',
    run: async () =>
      (await import('./check-layers.mjs')).checkLayers(
        ROOT,
        /** @type {any} */ ((await import('../layers.mjs')).LAYERS),
      ),
  },
  {
    name: 'adapter names',
    run: async () => (await import('./checks/source-rules.mjs')).checkAdapterNames(ROOT),
  },
  {
    name: 'suppressions have reasons',
    run: async () => (await import('./checks/source-rules.mjs')).checkSuppressions(ROOT),
  },
  {
    name: 'error table and its pages',
    run: async () => (await import('./checks/error-docs.mjs')).checkErrorDocs(ROOT),
  },
  {
    name: 'ASVS table',
    run: async () => (await import('./checks/asvs-table.mjs')).checkAsvsTable(ROOT),
  },
  {
    name: 'contract table',
    run: async () => (await import('./checks/contract-table.mjs')).checkContractTable(ROOT),
  },
  {
    name: 'generated documentation',
    run: async () => (await import('./generate-docs.mjs')).checkGenerated(ROOT),
  },
  {
    name: 'manifests and lockfile',
    run: async () => (await import('./checks/packages.mjs')).checkManifests(ROOT),
  },
  {
    name: 'package exports (publint)',
    after: 'types: packages',
    run: async () => (await import('./checks/packages.mjs')).checkPublished(ROOT),
  },
  {
    name: 'licences of dependencies',
    run: async () => (await import('./checks/supply-chain.mjs')).checkLicences(ROOT),
  },
  {
    name: 'bill of materials (CycloneDX)',
    run: async () => (await import('./checks/supply-chain.mjs')).checkBillOfMaterials(ROOT),
  },
  {
    name: 'vulnerabilities of dependencies (npm audit)',
    run: async () => (await import('./checks/supply-chain.mjs')).auditDependencies(ROOT),
  },
  {
    name: 'secrets in the tree',
    run: async () => (await import('./checks/secret-scan.mjs')).checkSecrets(ROOT),
  },
];

/** @param {Check} check */
async function findingsOf({ name, run }) {
  const startedAt = performance.now();
  // A check that breaks must not hide what the others find.
  const checked = await run().catch((error) => [`the check itself failed: ${error.stack ?? error}`]);
  const { findings, note } = Array.isArray(checked) ? { findings: checked, note: null } : checked;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${findings.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  for (const finding of findings) console.log(`       ${finding}`);
  if (note !== null) console.log(`       note: ${note}`);
  return findings;
}

/** @param {Check[]} checks @returns names of those that failed */
async function runInLanes(checks) {
  const waiting = [...checks];
  const failed = /** @type {string[]} */ ([]);
  const begun = /** @type {Map<string, Promise<void>>} */ (new Map());
  const lane = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { name, after } = check;
      const earlier = after === undefined ? undefined : begun.get(after);
      const ended = Promise.resolve(earlier).then(async () => {
        if ((await findingsOf(check)).length > 0) failed.push(name);
      });
      begun.set(name, ended);
      await ended;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return failed;
}

/** @param {string[]} words run only checks whose names hold one of these */
async function main(words) {
  const chosen = CHECKS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  const failed = await runInLanes(chosen);
  console.log(
    failed.length === 0
      ? `${chosen.length} checks passed`
      : `${failed.length} of ${chosen.length} checks failed: ${failed.join(', ')}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
