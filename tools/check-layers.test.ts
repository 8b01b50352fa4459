import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkLayers } from './check-layers.mjs';
import { findImports } from './imports.mjs';

const P = 'packages/app/src';
const LAYERS = [
  { name: 'base', path: `${P}/base`, may: [], packages: ['zod'], node: false },
  { name: 'port', path: `${P}/adapters/port.ts`, may: ['base'], packages: [] },
  {
    name: 'adapter',
    path: `${P}/adapters`,
    may: ['base', 'port'],
    packages: [],
    siblings: false,
    sameFiles: true,
  },
  { name: 'top', path: [`${P}/top`, `${P}/top.ts`], may: ['base', 'port'], packages: [] },
  { name: 'main', path: `${P}/main.ts`, may: '*' as const, packages: '*' as const },
  { name: 'kit', path: 'packages/kit/src', may: '*' as const, packages: '*' as const, private: true },
];

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tallygate layers '));
  put(`${P}/base/a.ts`, "import { z } from 'zod';");
  put(`${P}/adapters/port.ts`, "import type { A } from '../base/a.ts';");
  put(`${P}/adapters/one/x.ts`, "import { P } from '../port.ts';\nimport '../../base/a.ts';");
  put(`${P}/adapters/two/x.ts`, "export { P } from '../port.ts';");
  put(
    `${P}/top/b.ts`,
    "import { A } from '@tallygate/app/base/a';\nimport { readFile } from 'node:fs/promises';",
  );
  put(`${P}/main.ts`, "import './top/b.ts';\nimport './adapters/one/x.ts';\nimport 'anything';");
  put(`${P}/base/a.test.ts`, "import '../main.ts';");
  put('packages/kit/src/l.ts', '');
  put('packages/kit/src/k.ts', "import '@tallygate/app/main';");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const check = () => checkLayers(root, LAYERS);

describe('layers', () => {
  it('accept a tree that keeps them', () => {
    expect(check()).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ['an import of a layer above', `${P}/base/b.ts`, "import '../top/b.ts';", 'base may not use top'],
    ['one of types only', `${P}/base/b.ts`, "import type { X } from '../top/b.ts';", 'base may not use top'],
    [
      'one through the package name',
      `${P}/base/b.ts`,
      "import '@tallygate/app/top/b';",
      'base may not use top',
    ],
    ['a re-export', `${P}/base/b.ts`, "export { X } from '../top/b.ts';", 'base may not use top'],
    [
      'a re-export of types',
      `${P}/base/b.ts`,
      "export type { X } from '../top/b.ts';",
      'base may not use top',
    ],
    ['a re-export of all', `${P}/base/b.ts`, "export * as b from '../top/b.ts';", 'base may not use top'],
    ['import()', `${P}/base/b.ts`, "const b = await import('../top/b.ts');", 'base may not use top'],
    ['the type of import()', `${P}/base/b.ts`, "type B = import('../top/b.ts').B;", 'base may not use top'],
    ['a worker', `${P}/base/b.ts`, "siblingModule(import.meta.url, '../top/b');", 'base may not use top'],
    ['import() of a computed path', `${P}/top/c.ts`, 'await import(path);', 'computed at run time'],
    ['a sibling adapter', `${P}/adapters/one/x.ts`, "import '../two/x.ts';", 'do not know each other'],
    ['adapters from beside them', `${P}/adapters/all.ts`, "import './two/x.ts';", 'do not know each other'],
    ['a package', `${P}/top/c.ts`, "import 'zod';", 'top may not use that package'],
    ['a scoped package', `${P}/top/c.ts`, "import '@scope/name/deep';", 'imports @scope/name:'],
    ['Node where there is none', `${P}/base/b.ts`, "import 'node:fs';", 'runs without Node'],
    ['a global of Node', `${P}/base/b.ts`, 'const b = Buffer.from(x);', 'uses Buffer'],
    ['Node without prefix', `${P}/top/c.ts`, "import 'fs';", 'write node:fs'],
    ['a test', `${P}/top/c.ts`, "import '../base/a.test.ts';", 'imports the test'],
    ['the kit of the tests', `${P}/main.ts`, "import '@tallygate/kit/l';", 'for tests only'],
    ['a missing file', `${P}/top/c.ts`, "import './none.ts';", 'there is no'],
    ['a file in no layer', `${P}/stray.ts`, '', 'belongs to no layer'],
    ['a file only one adapter has', `${P}/adapters/one/y.ts`, '', 'adapters/two has no y.ts'],
    ['a cycle', `${P}/top/c.ts`, "import './d.ts';", 'is a cycle of imports'],
  ])('refuse %s', (_what, path, text, part) => {
    put(`${P}/top/d.ts`, "import './c.ts';");
    put(`${P}/top/c.ts`, '');
    put(path, text);
    const findings = check();
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain(part);
  });

  it('allow a cycle of types', () => {
    put(`${P}/top/c.ts`, "import type { D } from './d.ts';");
    put(`${P}/top/d.ts`, "import { C } from './c.ts';");
    expect(check()).toEqual([]);
  });

  it('refuse a table that names a layer below, and a folder without its required files', () => {
    const [base, ...rest] = LAYERS;
    expect(checkLayers(root, [{ ...base!, may: ['top'] }, ...rest])[0]).toContain('does not stand above');
    const required = LAYERS.map((layer) =>
      layer.name === 'adapter' ? { ...layer, requiredFiles: ['z.ts'] } : layer,
    );
    expect(checkLayers(root, required)).toEqual([
      expect.stringContaining('one has no z.ts'),
      expect.stringContaining('two has no z.ts'),
    ]);
  });
});

describe('imports', () => {
  it('are told from what only looks like them', () => {
    const source = [
      "// import 'a';",
      "/* import 'b';\n import 'c'; */",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text to scan
      "const s = \"import 'd'\"; const t = `import 'e' ${f(`import('g')`)} import 'h'`;",
      "const r = /import 'i'\\/[/']/g; const division = a / b; const q = 'x / y';",
      "object.import('j'); const o = { import: 'k', from: 'l' };",
      'export const from = 1; export { from };',
      "const url = import.meta.url; method.require('m'); usage.require(condition);",
    ].join('\n');
    expect(findImports(source)).toEqual([]);
  });

  it('are found with their line and kind', () => {
    const source = [
      "import a, { type B, c as d } from 'a';",
      "import type B from 'b';",
      "import type from 'c';",
      "import * as d from 'd';",
      "import {\n  e,\n} from 'e';",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text to scan
      "const x = `${await import('f')}`;",
      "import json from './g.json' with { type: 'json' };",
      "import { 'odd name' as odd } from 'h';",
      "return /'/.test(x) ? import('i') : require('j');",
    ].join('\n');
    expect(findImports(source).map(({ specifier, typeOnly, line }) => [specifier, typeOnly, line])).toEqual([
      ['a', false, 1],
      ['b', true, 2],
      ['c', false, 3],
      ['d', false, 4],
      ['e', false, 5],
      ['f', false, 8],
      ['./g.json', false, 9],
      ['h', false, 10],
      ['i', false, 11],
      ['j', false, 11],
    ]);
  });
});
