import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { Fault, noSpace, notWritable } from './fault.mjs';

const KEPT_OUTPUT_CHARS = 16_384;
const LOW_SPACE_BYTES = 32 * 1024 * 1024;
const SHOWN_LINES = 12;

/** Set by an outer `npm run` for its own project; they would steer the inner npm to the wrong folder. */
const OUTER_NPM =
  /^(npm_(package|lifecycle)_|npm_config_(local_prefix|prefix|global|workspace|omit|include|production)|npm_command$|INIT_CWD$)/i;

/**
 * Runs npm quietly in a folder, under the Node it came with.
 * @param {{ runtime: string, cwd: string, args: string[], purpose: string, env?: NodeJS.ProcessEnv }} options
 *   `runtime` comes first on the PATH; `purpose` completes "npm could not …".
 * @throws {Fault} when npm is missing or fails
 */
export async function runNpm({ runtime, cwd, args, purpose, env = process.env }) {
  const npm = findNpm(env, process.execPath);
  if (npm === null) throw noNpm(purpose);
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--no-update-notifier',
    '--loglevel=error', // an outer `npm --silent` would silence the reason of a failure too
  ];
  const { code, output } = await capture(process.execPath, [npm, ...args, ...flags], {
    cwd,
    env: innerEnvironment(env, runtime),
  });
  if (code !== 0) throw explainNpmFailure(output, { purpose, folder: cwd });
}

/** Bridge a hiccup; npm's own schedule would keep a person without network waiting for minutes. */
const QUICK_RETRIES = {
  npm_config_fetch_retries: '2',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '5000',
};

/** @param {NodeJS.ProcessEnv} env @param {string} runtime */
function innerEnvironment(env, runtime) {
  const kept = Object.entries(env).filter(([name]) => !OUTER_NPM.test(name));
  return {
    ...QUICK_RETRIES,
    ...Object.fromEntries(kept),
    PATH: `${dirname(runtime)}${delimiter}${env.PATH ?? ''}`,
  };
}

/**
 * The JavaScript file of npm, so that it runs under the runtime of our choice: the npm that started us, the
 * one on the PATH, or the one that came with the current Node.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} execPath
 */
export function findNpm(env, execPath) {
  const candidates = [];
  if (env.npm_execpath && basename(env.npm_execpath) === 'npm-cli.js') candidates.push(env.npm_execpath);
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    candidates.push(join(folder, 'npm'), join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'));
  }
  const home = dirname(execPath);
  candidates.push(join(home, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'));
  candidates.push(join(home, 'node_modules', 'npm', 'bin', 'npm-cli.js'));
  for (const candidate of candidates) {
    if (!fs.existsSync(candidate)) continue;
    const real = fs.realpathSync(candidate);
    if (basename(real) === 'npm-cli.js') return real;
  }
  return null;
}

/**
 * Runs a program to its end and keeps the beginning and the end of what it says.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ code: number, output: string }>}
 */
export function capture(command, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let head = '';
    let tail = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      if (head.length < KEPT_OUTPUT_CHARS) head += chunk.toString();
      else tail = (tail + chunk.toString()).slice(-KEPT_OUTPUT_CHARS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: head + tail }));
  });
}

/** @param {string} purpose */
function noNpm(purpose) {
  return new Fault(
    `npm is needed to ${purpose}, and there is none.`,
    'Node.js normally brings npm along; some distributions package it separately.',
    'Install npm ("apt-get install npm" on Debian and Ubuntu, or Node.js from https://nodejs.org) and run the command again.',
  );
}

const UNREACHABLE =
  /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E5\d\d|[A-Z_]*CERT[A-Z_]*)\b/;

/**
 * Tells from what npm said what a person can do about it.
 * @param {string} output
 * @param {{ purpose: string, folder: string }} context
 * @returns {Fault}
 */
export function explainNpmFailure(output, { purpose, folder }) {
  const code = /npm (?:ERR!|error) code (\S+)/.exec(output)?.[1] ?? '';
  if (code === 'ENOSPC' || /\bENOSPC\b/.test(output) || isFull(folder)) return noSpace(folder);
  if (['EACCES', 'EROFS', 'EPERM'].includes(code)) return notWritable(folder);
  if (UNREACHABLE.test(code)) {
    return new Fault(
      `npm could not ${purpose}: the package registry cannot be reached (${code}).`,
      'The first start downloads packages; later ones work without a network.',
      'Check the network, and the proxy and registry that "npm config get proxy registry" shows, then run the command again.',
    );
  }
  if (code === 'EINTEGRITY') {
    return new Fault(
      `npm could not ${purpose}: a downloaded package is not the one this release was made with.`,
      'Its checksum differs: the download was damaged, or the registry serves something else under that name.',
      'Run "npm cache clean --force" and try again; when it happens again, do not use that registry.',
    );
  }
  if (code === 'EUSAGE') {
    return new Fault(
      `npm could not ${purpose}: package-lock.json does not fit package.json.`,
      'One of them was changed without the other.',
      'Run "npm install --ignore-scripts" to bring them together, or undo the change.',
    );
  }
  return new Fault(
    `npm could not ${purpose}${code ? ` (${code})` : ''}.`,
    `Its last words were:\n${lastLines(output)}`,
    'Mend what it names; if nothing helps, delete node_modules and .runtime and run the command again.',
  );
}

/** @param {string} folder */
function isFull(folder) {
  try {
    const { bavail, bsize } = fs.statfsSync(folder); // not in the first releases of Node.js 18
    return bavail * bsize < LOW_SPACE_BYTES;
  } catch {
    return false;
  }
}

/** @param {string} output */
function lastLines(output) {
  const lines = output
    .trimEnd()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines
    .slice(-SHOWN_LINES)
    .map((line) => `    ${line}`)
    .join('\n');
}
