import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Licences that ask for nothing beyond naming the authors: what ships, and what only builds, may have them. */
const ALLOWED = new Set([
  'Apache-2.0',
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
]);
/** Of tools that never ship: a change to their own files would have to be published, and we make none. */
const ALLOWED_FOR_DEVELOPMENT = new Set([...ALLOWED, 'MPL-2.0', 'CC-BY-4.0', 'Python-2.0']);
const NPM_TIMEOUT_MS = 60_000;
/** Advisories below this are listed and do not fail. */
const FAILING = new Set(['high', 'critical']);

/**
 * Every package of the lockfile has a licence that is allowed for its use. Builds for other platforms than this one
 * are named by their family, which is checked here.
 * @param {string} root
 * @returns {string[]}
 */
export function checkLicences(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).flatMap(([folder, entry]) => {
    if (!folder.includes('node_modules/') || entry.link) return [];
    const licence = entry.license ?? installedLicence(root, folder);
    if (licence === undefined && entry.optional) return [];
    const allowed = entry.dev ? ALLOWED_FOR_DEVELOPMENT : ALLOWED;
    if (licence !== undefined && licenceAllowed(licence, allowed)) return [];
    return [
      `package-lock.json: ${folder} has ${licence === undefined ? 'no licence' : `the licence ${licence}`}`,
    ];
  });
}

/** SPDX expressions as npm packages use them: `OR` needs one that is allowed, `AND` all. @param {string} expression @param {ReadonlySet<string>} allowed */
export function licenceAllowed(expression, allowed) {
  return expression
    .replace(/[()]/g, '')
    .split(/\s+OR\s+/)
    .some((choice) => choice.split(/\s+AND\s+/).every((id) => allowed.has(id.trim())));
}

/** @param {string} root @param {string} folder @returns {string | undefined} */
function installedLicence(root, folder) {
  try {
    const { license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return typeof license === 'string' ? license : license?.type;
  } catch {
    return undefined;
  }
}

/**
 * The bill of materials (CycloneDX) of what ships can be built, and names of each part where it comes from, its
 * checksum and its licence. `npm run sbom` prints it.
 * @param {string} root
 * @returns {Promise<string[]>}
 */
export async function checkBillOfMaterials(root) {
  return billProblems(JSON.parse(await billOfMaterials(root)));
}

/** @param {any} bill */
export function billProblems(bill) {
  const findings = [];
  if (bill.bomFormat !== 'CycloneDX' || !/^1\.\d$/.test(bill.specVersion))
    findings.push('the bill of materials is no CycloneDX document');
  const components = bill.components ?? [];
  if (components.length === 0) findings.push('the bill of materials is empty');
  const known = new Set(components.map((/** @type {any} */ component) => component['bom-ref']));
  for (const component of components) findings.push(...componentProblems(component));
  for (const { ref, dependsOn } of bill.dependencies ?? [])
    for (const target of dependsOn ?? [])
      if (!known.has(target))
        findings.push(`bill of materials: ${ref} depends on ${target}, which is not in it`);
  return findings;
}

/** @param {any} component */
function componentProblems(component) {
  const name = `bill of materials: ${component.name}@${component.version}`;
  if (String(component.purl).startsWith('pkg:npm/') === false) return [`${name} has no package URL`];
  const own = (component.properties ?? []).some(
    (/** @type {any} */ { name: property }) =>
      property === 'cdx:npm:package:path' || property === 'cdx:npm:package:private',
  );
  if (own || component.name.startsWith('@tallygate/') || component.scope === 'optional') return [];
  const findings = [];
  if (!component.hashes?.length) findings.push(`${name} has no checksum`);
  if (!component.licenses?.length) findings.push(`${name} has no licence`);
  return findings;
}

/**
 * CycloneDX JSON of what ships, from the lockfile alone. `npm sbom --omit=dev` would leave out what ships and is asked
 * for by the root for development as well, so its mark of development is read instead.
 * @param {string} root @returns {Promise<string>}
 */
export async function billOfMaterials(root) {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { code, stdout, stderr } = await npm(root, args);
  if (code !== 0) throw new Error(`npm sbom failed: ${stderr.trim() || stdout.trim()}`);
  const bill = JSON.parse(stdout);
  const ships = bill.components.filter((/** @type {any} */ component) => !forDevelopment(component));
  const refs = new Set([
    bill.metadata.component['bom-ref'],
    ...ships.map((/** @type {any} */ it) => it['bom-ref']),
  ]);
  const dependencies = bill.dependencies
    .filter((/** @type {any} */ { ref }) => refs.has(ref))
    .map((/** @type {any} */ { ref, dependsOn }) => ({
      ref,
      dependsOn: dependsOn.filter((/** @type {string} */ target) => refs.has(target)),
    }));
  return `${JSON.stringify({ ...bill, components: ships, dependencies }, null, 2)}\n`;
}

/** @param {any} component */
function forDevelopment({ properties }) {
  return (properties ?? []).some(
    (/** @type {any} */ { name, value }) => name === 'cdx:npm:package:development' && value === 'true',
  );
}

/**
 * What the registry knows of vulnerabilities in the packages that ship. A registry that cannot be asked, because there
 * is no network or it has no such service, is said and does not fail.
 * @param {string} root
 * @returns {Promise<{ findings: string[], note: string | null }>}
 */
export async function auditDependencies(root) {
  const { stdout, stderr } = await npm(root, ['audit', '--json', '--omit=dev', '--package-lock-only']);
  return readAudit(stdout, stderr);
}

/** @param {string} stdout of `npm audit --json` @param {string} stderr */
export function readAudit(stdout, stderr) {
  const report = parsed(stdout);
  const counts = report?.metadata?.vulnerabilities;
  if (counts === undefined) {
    const why = report?.message ?? (stderr.trim().split('\n')[0] || 'no answer');
    return { findings: [], note: `not checked, the registry cannot be asked: ${why}` };
  }
  const findings = Object.values(report.vulnerabilities ?? {})
    .filter((/** @type {any} */ { severity }) => FAILING.has(severity))
    .map(
      (/** @type {any} */ { name, severity, range }) =>
        `${name} ${range}: ${severity} vulnerability; see npm audit`,
    );
  const rest = counts.total - findings.length;
  return { findings, note: rest > 0 ? `${rest} advisories below "high": see npm audit` : null };
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} root @param {string[]} args @returns {Promise<{ code: number | null, stdout: string, stderr: string }>} */
function npm(root, args) {
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32';
    const child = spawn(windows ? 'npm.cmd' : 'npm', args, {
      cwd: root,
      shell: windows, // .cmd files run in no other way
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: NPM_TIMEOUT_MS,
      env: { ...process.env, npm_config_fetch_retries: '0', npm_config_update_notifier: 'false' },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
