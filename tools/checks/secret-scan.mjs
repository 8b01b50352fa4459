import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../source-files.mjs';

/** Shapes that issuers give their credentials, long enough that words and test values do not have them. */
const SHAPES = [
  { what: 'an Anthropic key', pattern: /\bsk-ant-[a-z]+\d\d-[\w-]{40,}/g },
  { what: 'an OpenAI key', pattern: /\bsk-(?!ant-)(?:proj-|svcacct-)?[A-Za-z0-9_-]{40,}/g },
  { what: 'a Google key', pattern: /\bAIza[\w-]{35}\b/g },
  { what: 'an AWS access key id', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { what: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b/g },
  { what: 'a Slack token', pattern: /\bxox[abposr]-[\w-]{20,}/g },
  { what: 'a Slack webhook', pattern: /hooks\.slack\.com\/services\/T\w{8,}\/B\w{8,}\/\w{20,}/g },
  { what: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  {
    what: 'a private key',
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=\\\s]{100,}/g,
  },
  { what: 'a JSON web token', pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/g },
];
/** A name that says "secret", then a value with the randomness of one. */
const NAMED =
  /\b[\w.-]*(?:secret|token|passw(?:or)?d|api[_-]?key|credential|private[_-]?key)[\w-]*['"]?\s*[:=]\s*['"`]([^'"`\s$]{20,200})['"`]/gi;
/** Bits a character; English words in camel or kebab case stay below, base64 and hex of random bytes do not. */
const MIN_ENTROPY = { hex: 3.3, other: 4.2 };
const MAX_BYTES = 2 * 1024 * 1024;
const BINARY = /\.(?:png|jpe?g|ico|woff2?|gz|db|wasm)$/;
/** Generated: checksums and catalogues, no place where a person types a secret. */
const SKIPPED = /(?:^|\/)(?:package-lock\.json|bench\/results\/|accounting\/generated\/)/;
const ALLOW_FILE = 'tools/checks/secret-scan-allow.json';

/**
 * No file of the tree holds a credential. What only looks like one, because a test needs that, stands in the allow
 * file by its fingerprint, with the reason; an entry that allows nothing any more is a finding, too.
 * @param {string} root
 * @returns {string[]}
 */
export function checkSecrets(root) {
  const allowed = readAllowed(root);
  const used = new Set();
  const findings = [];
  for (const file of treeFiles(root)) {
    for (const { what, line, value } of secretsIn(readText(root, file))) {
      const fingerprint = fingerprintOf(file, value);
      if (allowed.has(fingerprint)) used.add(fingerprint);
      else findings.push(`${file}:${line} looks like ${what} (fingerprint ${fingerprint})`);
    }
  }
  for (const [fingerprint, reason] of allowed)
    if (!used.has(fingerprint)) findings.push(`${ALLOW_FILE}: ${fingerprint} allows nothing: ${reason}`);
  return findings;
}

/** @param {string} text @returns {{ what: string, line: number, value: string }[]} */
export function secretsIn(text) {
  const found = [];
  for (const { what, pattern } of SHAPES)
    for (const match of text.matchAll(pattern))
      found.push({ what, value: match[0], line: lineOf(text, match.index) });
  for (const match of text.matchAll(NAMED)) {
    const value = match[1] ?? '';
    if (looksRandom(value)) found.push({ what: 'a secret', value, line: lineOf(text, match.index) });
  }
  return found;
}

/** @param {string} value */
function looksRandom(value) {
  const bits = entropyOf(value);
  if (/^[\da-f]+$/i.test(value)) return value.length >= 32 && bits >= MIN_ENTROPY.hex;
  return /\d/.test(value) && /[A-Za-z]/.test(value) && bits >= MIN_ENTROPY.other;
}

/** Shannon entropy in bits a character. @param {string} value */
function entropyOf(value) {
  const counts = new Map();
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

/** @param {string} text @param {number} index */
const lineOf = (text, index) => text.slice(0, index).split('\n').length;

/** The secret itself never stands in the allow file. @param {string} file @param {string} value */
export function fingerprintOf(file, value) {
  return createHash('sha256').update(`${file}\0${value}`).digest('hex').slice(0, 16);
}

/** @param {string} root @returns {Map<string, string>} */
function readAllowed(root) {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(join(root, ALLOW_FILE), 'utf8'))));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return new Map();
    throw error;
  }
}

/** What is in the repository or about to be; without Git, everything that is not installed or built. @param {string} root */
function treeFiles(root) {
  const wanted = (/** @type {string} */ file) => !BINARY.test(file) && !SKIPPED.test(file);
  try {
    const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return listed.split('\0').filter((file) => file !== '' && wanted(file));
  } catch {
    return filesUnder(root, '.').filter(wanted);
  }
}

/** @param {string} root @param {string} file */
function readText(root, file) {
  const path = join(root, file);
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() && found.size <= MAX_BYTES ? readFileSync(path, 'utf8') : '';
}
