import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { fail, ok, warn } from '@tallygate/server/checkup/check';
import type { AdminApi } from '../client/admin-api.ts';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT_CHARS = 20_000_000;
const NAMED = 5;
const ID = 'dependencies';

interface Advisory {
  name: string;
  severity: string;
}

/** The nearest folder above this file with a lockfile: a clone has one, what was installed as a package has its installer's. */
function lockedFolder(): string | null {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package-lock.json'))) return folder;
    if (dirname(folder) === folder) return null;
  }
}

function npmAudit(folder: string): Promise<string> {
  const windows = process.platform === 'win32';
  return new Promise((resolve, reject) => {
    const child = spawn(
      windows ? 'npm.cmd' : 'npm',
      ['audit', '--json', '--omit=dev', '--package-lock-only'],
      {
        cwd: folder,
        shell: windows, // .cmd files run in no other way; every word here is fixed
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: TIMEOUT_MS,
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT_CHARS) output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

/** `asked`: the registry answered; what it said is worth keeping. */
export interface DependencyCheck {
  asked: boolean;
  result: CheckResult;
}

/** What the registry says of the packages that are in use. */
export function readAdvisories(output: string): DependencyCheck {
  const result = warn(
    ID,
    'The registry could not be asked about vulnerabilities of the packages in use.',
    'Run "npm audit --omit=dev" where the npm registry can be reached.',
  );
  const notAsked = { asked: false, result };
  let report: { vulnerabilities?: Record<string, Advisory>; metadata?: { vulnerabilities?: object } };
  try {
    report = JSON.parse(output);
  } catch {
    return notAsked;
  }
  if (report.metadata?.vulnerabilities === undefined) return notAsked;
  return { asked: true, result: judge(Object.values(report.vulnerabilities ?? {})) };
}

function judge(found: readonly Advisory[]): CheckResult {
  if (found.length === 0) return ok(ID, 'The registry knows of no vulnerability in the packages in use.');
  const grave = found.filter(({ severity }) => severity === 'high' || severity === 'critical');
  const named = (grave.length > 0 ? grave : found)
    .slice(0, NAMED)
    .map(({ name, severity }) => `${name} (${severity})`);
  const message = `${found.length} packages in use have known vulnerabilities: ${named.join(', ')}.`;
  const fix = 'Update Tallygate; "npm audit" tells which version mends what.';
  return grave.length > 0 ? fail(ID, message, fix) : warn(ID, message, fix);
}

/** Asks the npm registry, which learns which packages are in use. */
export async function checkDependencies(): Promise<DependencyCheck> {
  const folder = lockedFolder();
  return readAdvisories(folder === null ? '' : await npmAudit(folder).catch(() => ''));
}

/**
 * Leaves what the registry said with the running server, which asks nobody outside, for its screen of checks. One that
 * does not take it, such as an older one, only does not show it.
 */
export async function keepReport(
  { target, security }: Pick<AdminApi, 'target' | 'security'>,
  { asked, result: { status, message, fix } }: DependencyCheck,
): Promise<void> {
  if (!asked || target.kind !== 'local') return;
  await security.keepDependencies({ status, message, fix }).catch(() => undefined);
}
