import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingPlatforms, platformEntry } from '../lockfile-platforms.mjs';
import { ASVS_IDS } from './asvs-ids.mjs';
import { checkAsvsTable } from './asvs-table.mjs';
import { checkContractTable } from './contract-table.mjs';
import { checkErrorDocs } from './error-docs.mjs';
import { checkManifests } from './packages.mjs';
import { checkAdapterNames, checkSuppressions } from './source-rules.mjs';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tallygate checks '));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('error pages', () => {
  const page = (code: string) => `# \`${code}\`\n\nWhat it means.\n\nWhy.\n\nHow to mend it.\n`;
  const check = () => checkErrorDocs(root, ['one', 'two']);

  beforeEach(() => {
    put('docs/errors/one.md', page('one'));
    put('docs/errors/two.md', page('two'));
  });

  it('are complete', () => expect(check()).toEqual([]));

  it('are missed, in both directions', () => {
    rmSync(join(root, 'docs/errors/two.md'));
    put('docs/errors/three.md', page('three'));
    expect(check()).toEqual([
      expect.stringContaining('two.md is missing'),
      expect.stringMatching(/three\.md explains a code/),
    ]);
  });

  it('name their code and say something', () => {
    put('docs/errors/one.md', '# Something\n');
    expect(check()).toHaveLength(2);
  });
});

describe('the contract table', () => {
  const real = readFileSync(join(REPOSITORY, 'docs/contract.md'), 'utf8');
  const planned = real.replace(/^(\| [A-Z]+-\d\d \|[^|]+\|).*$/gm, '$1 planned | planned |');
  const withRow = (id: string, cells: string) =>
    put(
      'docs/contract.md',
      planned.replace(new RegExp(`^\\| ${id} \\|([^|]+)\\|.*$`, 'm'), `| ${id} |$1| ${cells} |`),
    );

  beforeEach(() => put('docs/contract.md', planned));

  it('may have all its promises planned', () => expect(checkContractTable(root)).toEqual([]));

  it('is missed when it is not there', () => {
    rmSync(join(root, 'docs/contract.md'));
    expect(checkContractTable(root)).toHaveLength(1);
  });

  it('may name places and tests that exist', () => {
    put('packages/a/src/a.ts', '');
    put('packages/a/src/a.test.ts', "it('works (CF-17)')");
    withRow('CF-17', '`packages/a/src/a.ts` | `packages/a/src/a.test.ts`');
    expect(checkContractTable(root)).toEqual([]);
  });

  it.each<[string, () => void, string]>([
    [
      'a missing row',
      () => put('docs/contract.md', planned.replace(/^\| TW-07 .*\n/m, '')),
      'no row for TW-07',
    ],
    [
      'a row twice',
      () => put('docs/contract.md', planned.replace(/^(\| TW-07 .*\n)/m, '$1$1')),
      'two rows for TW-07',
    ],
    ['an unknown row', () => put('docs/contract.md', planned.replace('| X-08 |', '| X-09 |')), 'X-09'],
    ['a place that is not there', () => withRow('CF-17', '`none.ts` | planned'), 'names none.ts, which'],
    ['a place without a test', () => withRow('CF-17', '`docs/contract.md` | planned'), 'names no test'],
    [
      'a file that is no test',
      () => withRow('CF-17', '`docs/contract.md` | `docs/contract.md`'),
      'which it is not',
    ],
    [
      'a test that does not name the promise',
      () => {
        put('tests/a.test.ts', 'CF-16');
        withRow('CF-17', '`docs/contract.md` | `tests/a.test.ts`');
      },
      'does not name CF-17',
    ],
    ['a test of an unknown promise', () => put('tests/a.test.ts', "it('x (TW-99)')"), 'names TW-99'],
  ])('reports %s', (_what, plant, part) => {
    plant();
    expect(checkContractTable(root).join('\n')).toContain(part);
  });
});

describe('suppressions', () => {
  // Split, so that this file does not suppress anything itself.
  const ignore = ['biome', 'ignore'].join('-');
  const expected = ['@ts', 'expect-error'].join('-');

  it.each<[string, number]>([
    [`// ${ignore} lint/suspicious/noExplicitAny: the type is not exported\nx();`, 0],
    [`// ${ignore} lint/suspicious/noExplicitAny: \nx();`, 1],
    [`// ${ignore} lint/suspicious/noExplicitAny\nx();`, 1],
    [`const a = <div>{/* ${ignore} lint/a11y/x: it is decorative */}</div>;`, 0],
    [`// ${expected} the types lack this option\nx();`, 0],
    [`// ${expected}\nx();`, 1],
    [`// ${['@ts', 'ignore'].join('-')} because I know better than it\nx();`, 1],
    [`const text = '// ${expected}';`, 0],
  ])('%j: %i', (source, count) => {
    put('packages/a/src/a.tsx', source);
    expect(checkSuppressions(root)).toHaveLength(count);
  });
});

describe('adapter names', () => {
  beforeEach(() => {
    put('packages/server/src/providers/acme/usage.ts', "export const id = 'acme';");
    put('packages/server/src/providers/shared/sse.ts', '');
    put('packages/server/src/store/sqlite/engine.ts', "export const scheme = 'sqlite';");
  });

  it.each<[string, string, number]>([
    ['pipeline/a.ts', "if (provider === 'acme') x();", 1],
    ['http/a.ts', "if (engine === 'sqlite') x();", 1],
    ['http/a.ts', "if (engine === 'postgresql') x();", 1],
    ['http/a.ts', "// 'acme' is one\nconst shared = 'shared'; const t = 'acme-like';", 0],
    ['wire/a.ts', "const all = { acme: 'acme', sqlite: 'sqlite' };", 0],
    ['pipeline/a.test.ts', "expect('acme');", 0],
  ])('in %s: %s', (file, source, count) => {
    put(`packages/server/src/${file}`, source);
    expect(checkAdapterNames(root)).toHaveLength(count);
  });
});

describe('manifests', () => {
  const exports = {
    './*': { '@tallygate/source': './src/*.ts', types: './dist/*.d.ts', default: './dist/*.js' },
  };
  const common = { version: '0.1.0', license: 'Apache-2.0', type: 'module' };
  const inner = { name: '@tallygate/a', ...common, exports, dependencies: { zod: '4.6.7' } };
  const integrity = 'sha512-x';
  const packages = { '': {}, 'packages/a': {}, 'node_modules/zod': { version: '4.6.7', integrity } };

  function tree(changes: { inner?: object; packages?: Record<string, object>; outer?: object }): string[] {
    put('package.json', JSON.stringify({ name: 'tallygate', ...common, ...changes.outer }));
    put('packages/a/package.json', JSON.stringify({ ...inner, ...changes.inner }));
    put('package-lock.json', JSON.stringify({ packages: { ...packages, ...changes.packages } }));
    return checkManifests(root);
  }

  it('are accepted when they follow the rules', () => expect(tree({})).toEqual([]));

  it.each<[string, Parameters<typeof tree>[0], string]>([
    ['a range', { inner: { dependencies: { zod: '^4.6.7' } } }, 'zod is ^4.6.7'],
    ['a tag', { outer: { devDependencies: { knip: 'latest' } } }, 'knip is latest'],
    ['other exports', { inner: { exports: { '.': './dist/index.js' } } }, 'exports must be'],
    ['another version', { inner: { version: '0.2.0' } }, 'version differs'],
    ['a missing binary', { outer: { bin: { x: './none.mjs' } } }, 'does not exist'],
    ['a binary nobody may run', { outer: { bin: { x: './package.json' } } }, 'not executable'],
    [
      'an install script',
      { packages: { 'node_modules/b': { integrity, hasInstallScript: true } } },
      'install script',
    ],
    ['no checksum', { packages: { 'node_modules/b': { version: '1.0.0' } } }, 'no checksum'],
    [
      'a left out platform',
      { packages: { 'node_modules/b': { integrity, optionalDependencies: { 'b-darwin-arm64': '1.0.0' } } } },
      'b-darwin-arm64 is missing',
    ],
  ])('are refused with %s', (_what, changes, part) => {
    expect(tree(changes)).toEqual([expect.stringContaining(part)]);
  });
});

describe('platforms of the lockfile', () => {
  it('are found beside the package or above it', () => {
    const optionalDependencies = { 'x-linux-x64': '1.0.0' };
    const parent = { 'node_modules/a/node_modules/x': { optionalDependencies, dev: true } };
    expect(missingPlatforms({ packages: parent })).toEqual([
      { folder: 'node_modules/x-linux-x64', version: '1.0.0', dev: true },
    ]);
    for (const folder of ['node_modules/x-linux-x64', 'node_modules/a/node_modules/x-linux-x64']) {
      expect(missingPlatforms({ packages: { ...parent, [folder]: {} } })).toEqual([]);
    }
  });

  it.each([
    ['@a/cli-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
    ['@a/linux-arm64-gnu', { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] }],
    ['@a/binding-darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
    ['@a/binding-win32-x64-msvc', { os: ['win32'], cpu: ['x64'] }],
    ['@a/binding-wasm32-wasi', { cpu: ['wasm32'] }],
  ])('are read from the name %s', (name, expected) => {
    const entry = platformEntry({ folder: `node_modules/${name}`, version: '1.2.3', dev: false });
    expect(entry).toEqual({ version: '1.2.3', optional: true, ...expected });
  });

  it('are not guessed', () => {
    const entry = { folder: 'node_modules/fast-thing', version: '1.2.3', dev: false };
    expect(() => platformEntry(entry)).toThrow(/does not say/);
    expect(() => platformEntry({ ...entry, folder: 'node_modules/x-linux', version: '^1.0.0' })).toThrow(
      /exact/,
    );
  });
});

describe('the ASVS table', () => {
  const table = (...rows: string[]) =>
    put('docs/security/asvs.md', rows.map((row) => `| ${row} |`).join('\n'));
  const good = 'V1.2.3 | Something | met | `a.ts` | `a.test.ts` |';
  beforeEach(() => {
    put('a.ts', '');
    put('a.test.ts', '');
  });

  it('is right in this repository', () => expect(checkAsvsTable(REPOSITORY)).toEqual([]));

  it('is missed, and so are its rows', () => {
    expect(checkAsvsTable(root, [])).toEqual([expect.stringContaining('is missing')]);
    table('nothing');
    expect(checkAsvsTable(root, [])).toEqual([expect.stringContaining('no rows')]);
  });

  it.each([
    [good, 0],
    ['V1.2.3 | Something | not met | | | why |', 0],
    ['V1.2.3 | Something | not met | | | |', 1],
    ['V1.2.3 | Something | fine | `a.ts` | `a.test.ts` | |', 1],
    ['V1.2.3 | | met | `a.ts` | `a.test.ts` | |', 1],
    ['V1.2 | Something | met | `a.ts` | `a.test.ts` | |', 1],
    ['V1.2.3 | Something | met | `b.ts` | `a.test.ts` | |', 1],
    ['V1.2.3 | Something | partly | `a.ts` | `a.ts` | |', 1],
    ['V1.2.3 | Something | met | | | |', 2],
  ])('%s: %i', (row, count) => {
    table(row);
    expect(checkAsvsTable(root, [])).toHaveLength(count);
  });

  it('has every requirement of levels 1 and 2, of which there are 253', () => {
    table(good);
    expect(checkAsvsTable(root, ['V1.2.3', 'V1.2.4'])).toEqual([
      expect.stringContaining('nothing of V1.2.4'),
    ]);
    expect(new Set(ASVS_IDS).size).toBe(253);
    expect(ASVS_IDS.every((id) => /^V\d{1,2}\.\d\.\d{1,2}$/.test(id))).toBe(true);
  });

  it('has each requirement once', () => {
    table(good, good);
    expect(checkAsvsTable(root, [])).toEqual([expect.stringContaining('twice')]);
  });
});
