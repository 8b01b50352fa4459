import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSecrets, secretsIn } from './secret-scan.mjs';
import { billOfMaterials, billProblems, checkLicences, licenceAllowed, readAudit } from './supply-chain.mjs';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tallygate supply '));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('licences (CF-13)', () => {
  const check = (entry: object) => {
    put('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/a': entry } }));
    return checkLicences(root);
  };

  it.each([{ license: 'MIT' }, { license: '(AFL-2.1 OR BSD-3-Clause)' }, { license: 'MPL-2.0', dev: true }])(
    'lets %o in',
    (entry) => expect(check(entry)).toEqual([]),
  );

  it.each([
    { license: 'AGPL-3.0-only' },
    { license: 'MPL-2.0' },
    { license: 'MIT AND SSPL-1.0' },
    { license: 'SEE LICENSE IN LICENSE' },
    {},
  ])('keeps %o out', (entry) => expect(check(entry)).toHaveLength(1));

  it('are read from what is installed where the lockfile has none', () => {
    put('node_modules/a/package.json', '{"license":"ISC"}');
    expect(check({})).toEqual([]);
    put('node_modules/a/package.json', '{"license":"GPL-3.0"}');
    expect(check({})).toEqual([expect.stringContaining('GPL-3.0')]);
  });

  it('reads expressions as SPDX has them', () => {
    const allowed = new Set(['MIT', 'ISC']);
    expect(licenceAllowed('MIT AND ISC', allowed)).toBe(true);
    expect(licenceAllowed('MIT AND GPL-2.0', allowed)).toBe(false);
    expect(licenceAllowed('(GPL-2.0 OR ISC)', allowed)).toBe(true);
    expect(licenceAllowed('MITX', allowed)).toBe(false);
  });
});

describe('the bill of materials (CF-13)', () => {
  it('of this repository is whole, and misses a part that was left out', { timeout: 60_000 }, async () => {
    const bill = JSON.parse(await billOfMaterials(REPOSITORY));
    expect(billProblems(bill)).toEqual([]);
    const names = bill.components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['fastify', 'undici', 'zod', 'react']));
    expect(names).not.toContain('vitest');

    const without = bill.components.filter(({ name }: { name: string }) => name !== 'undici');
    expect(billProblems({ ...bill, components: without })).toEqual(
      expect.arrayContaining([expect.stringMatching(/depends on undici@/)]),
    );
    const bare = bill.components.map((part: { name: string }) =>
      part.name === 'undici' ? { ...part, hashes: undefined, licenses: undefined } : part,
    );
    expect(billProblems({ ...bill, components: bare })).toHaveLength(2);
  });

  it('is refused when it is something else', () => {
    expect(billProblems({ spdxVersion: 'SPDX-2.3' })).toHaveLength(2);
  });
});

describe('the audit of dependencies (CF-13)', () => {
  const report = (severity: string) =>
    JSON.stringify({
      vulnerabilities: { undici: { name: 'undici', severity, range: '<8.0.0' } },
      metadata: { vulnerabilities: { total: 1 } },
    });

  it('fails for what is high or critical', () => {
    for (const severity of ['high', 'critical'])
      expect(readAudit(report(severity), '').findings).toEqual([expect.stringContaining('undici <8.0.0')]);
  });

  it('names what is lower', () => {
    expect(readAudit(report('moderate'), '')).toEqual({
      findings: [],
      note: expect.stringContaining('1 advisories'),
    });
  });

  it.each([
    ['{"message":"405 Method Not Allowed"}', '', '405 Method Not Allowed'],
    ['', 'npm error code ENOTFOUND\n', 'npm error code ENOTFOUND'],
    ['<html>', '', 'no answer'],
  ])('says when it could not be made: %s', (stdout, stderr, why) => {
    expect(readAudit(stdout, stderr)).toEqual({ findings: [], note: expect.stringContaining(why) });
  });
});

describe('secrets in the tree (CF-13)', () => {
  // Put together here, so that this file holds none.
  const random = ['Zk3q9XvT', 'b7LmP2wR', 'c5NdH8yJ', 'f4GsK6uQ', 'a1VtE0iM', 'x2WzB3rY'].join('');
  const planted: [string, string][] = [
    ['an Anthropic key', `sk-ant-${'api'}03-${random}`],
    ['an OpenAI key', `sk-${'proj'}-${random}`],
    ['a Google key', `AI${'za'}${random.slice(0, 35)}`],
    ['an AWS access key id', `AK${'IA'}QWERTYUIOPASDFGH`],
    ['a GitHub token', `gh${'p_'}${random.slice(0, 36)}`],
    ['a Slack token', `xox${'b-'}${random}`],
    ['a private key', `-----BEGIN ${'PRIVATE'} KEY-----\n${random.repeat(3)}`],
    ['a secret', `{ ${'pass'}word: '${random.slice(0, 24)}' }`],
    ['a secret', `API_${'KEY'}="${Buffer.from(random).toString('hex')}"`],
  ];

  it.each(planted)('finds %s', (what, text) => {
    put('src/settings.ts', `const a = 1;\n${text}\n`);
    expect(checkSecrets(root)).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`^src/settings.ts:2 looks like ${what} `))]),
    );
  });

  it.each([
    `password: 'correct horse battery staple'`,
    `apiKey: 'the-key-of-this-test-and-no-other'`,
    `sessionSecret: '${'0'.repeat(64)}'`,
    'token: readToken(request.headers.authorization)',
    `sk-test-key`,
  ])('leaves alone: %s', (text) => expect(secretsIn(text)).toEqual([]));

  it('lets through what is allowed by fingerprint, and names what allows nothing', () => {
    const text = planted[0]?.[1] ?? '';
    put('src/a.test.ts', text);
    const fingerprint = /fingerprint (\w+)/.exec(checkSecrets(root)[0] ?? '')?.[1] ?? '';
    put('tools/checks/secret-scan-allow.json', JSON.stringify({ [fingerprint]: 'planted' }));
    expect(checkSecrets(root)).toEqual([]);
    put('src/b.test.ts', text); // the same value elsewhere is not what was allowed
    expect(checkSecrets(root)).toHaveLength(1);
    rmSync(join(root, 'src'), { recursive: true });
    expect(checkSecrets(root)).toEqual([expect.stringContaining('allows nothing')]);
  });
});
