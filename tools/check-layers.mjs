// Enforces layers.mjs. Usage: node tools/check-layers.mjs [root]
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findImports } from './imports.mjs';
import { filesUnder, isTest } from './source-files.mjs';
import { tokenize } from './tokens.mjs';

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string | string[]} path
 * @property {string[] | '*'} may
 * @property {string[] | '*'} packages
 * @property {boolean} [node] false: nothing of Node
 * @property {boolean} [siblings] false: sub-folders do not import each other
 * @property {boolean} [sameFiles] its sub-folders hold files of the same names
 * @property {string[]} [ownFiles] names that one sub-folder may have alone
 * @property {string[]} [requiredFiles] every sub-folder has these
 * @property {boolean} [private] imported by tests only
 */
/** @typedef {{ file: string, layer: Layer, imports: import('./imports.mjs').Import[], source: string }} Module */

/**
 * @param {string} root
 * @param {Layer[]} layers
 * @returns {string[]} one finding per line, `path:line what`
 */
export function checkLayers(root, layers) {
  const findings = checkTable(layers);
  const files = filesUnder(root, 'packages', /^packages\/[^/]+\/src\/.*\.tsx?$/).filter(
    (file) => !isTest(file),
  );
  /** @type {Module[]} */
  const modules = [];
  for (const file of files) {
    const layer = layerOf(file, layers);
    if (layer === null) {
      findings.push(`${file} belongs to no layer: give its folder a row in layers.mjs, or move it`);
      continue;
    }
    const source = readFileSync(join(root, file), 'utf8');
    modules.push({ file, layer, source, imports: findImports(source) });
  }
  for (const module of modules) findings.push(...checkModule(root, module, layers));
  findings.push(...checkFolders(root, layers), ...findCycles(root, modules));
  return findings;
}

/** A layer may name only layers above it, so the table itself has no cycle. @param {Layer[]} layers */
function checkTable(layers) {
  const above = new Set();
  const findings = [];
  for (const { name, may } of layers) {
    for (const other of may === '*' ? [] : may) {
      if (!above.has(other))
        findings.push(`layers.mjs: ${name} names ${other}, which does not stand above it`);
    }
    above.add(name);
  }
  return findings;
}

/** The layer with the longest matching path. @param {string} file @param {Layer[]} layers @returns {Layer | null} */
function layerOf(file, layers) {
  let best = null;
  let length = -1;
  for (const layer of layers) {
    for (const path of [layer.path].flat()) {
      if ((file === path || file.startsWith(`${path}/`)) && path.length > length) {
        best = layer;
        length = path.length;
      }
    }
  }
  return best;
}

/** @param {string} root @param {Module} module @param {Layer[]} layers @returns {string[]} */
function checkModule(root, { file, layer, imports, source }, layers) {
  const findings = [];
  for (const { specifier, line } of imports) {
    const problem =
      specifier === null
        ? 'imports a path computed at run time'
        : checkImport(root, { file, layer, specifier }, layers);
    if (problem !== null) findings.push(`${file}:${line} ${problem}`);
  }
  if (layer.node === false) findings.push(...findNodeGlobals(file, source));
  return findings;
}

/**
 * @param {string} root
 * @param {{ file: string, layer: Layer, specifier: string }} edge
 * @param {Layer[]} layers
 * @returns {string | null}
 */
function checkImport(root, { file, layer, specifier }, layers) {
  const target = resolveLocal(file, specifier);
  if (target === null) return checkPackage(layer, specifier);
  if (/\.css$/.test(target)) return null;
  if (!existsSync(join(root, target))) return `imports ${specifier}, and there is no ${target}`;
  if (isTest(target)) return `imports the test ${target}`;
  const other = layerOf(target, layers);
  if (other === null) return `imports ${target}, which belongs to no layer`;
  if (other === layer) return checkSibling(file, target, layer);
  if (other.private) return `imports ${target}: ${other.name} is for tests only`;
  if (layer.may === '*' || layer.may.includes(other.name)) return null;
  return `imports ${target}: ${layer.name} may not use ${other.name}`;
}

/** The file a specifier stands for, from the root; null for packages. @param {string} file @param {string} specifier */
function resolveLocal(file, specifier) {
  if (specifier.startsWith('.'))
    return posix.normalize(posix.join(posix.dirname(file), specifier.replace(/\?.*$/, '')));
  const match = /^@tallygate\/([^/]+)\/(.+)$/.exec(specifier);
  return match === null ? null : `packages/${match[1]}/src/${match[2]}.ts`;
}

/** @param {Layer} layer @param {string} specifier */
function checkPackage(layer, specifier) {
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith('node:')) return `imports ${specifier}: write node:${specifier}`;
    return layer.node === false ? `imports ${specifier}: ${layer.name} runs without Node` : null;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return layer.packages === '*' || layer.packages.includes(name)
    ? null
    : `imports ${name}: ${layer.name} may not use that package`;
}

/** @param {string} file @param {string} target @param {Layer} layer */
function checkSibling(file, target, layer) {
  if (layer.siblings !== false) return null;
  const [from, to] = [folderIn(file, layer), folderIn(target, layer)];
  return from === to ? null : `imports ${target}: the folders of ${layer.name} do not know each other`;
}

/** The sub-folder of its layer that a file is in; empty for files directly in it. @param {string} file @param {Layer} layer */
function folderIn(file, layer) {
  const base = [layer.path].flat().find((path) => file.startsWith(`${path}/`)) ?? '';
  return (
    posix
      .dirname(file.slice(base.length + 1))
      .split('/')[0]
      ?.replace('.', '') ?? ''
  );
}

/** What compiles because other files of the package use Node. @param {string} file @param {string} source */
function findNodeGlobals(file, source) {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment');
  return tokens
    .filter(({ kind, text }, index) => {
      const isGlobal = kind === 'word' && ['process', 'Buffer', '__dirname', 'NodeJS'].includes(text);
      return (
        isGlobal && tokens[index - 1]?.text !== '.' && ![':', '?'].includes(tokens[index + 1]?.text ?? '')
      );
    })
    .map(({ text, line }) => `${file}:${line} uses ${text}, which only Node has`);
}

/** @param {string} root @param {Layer[]} layers */
function checkFolders(root, layers) {
  return layers.flatMap((layer) => {
    if (!layer.sameFiles && !layer.requiredFiles) return [];
    const folders = adapterFolders(root, layer, layers);
    const shared = layer.sameFiles ? [...folders.values()].flatMap((names) => [...names]) : [];
    const wanted = [...new Set([...shared, ...(layer.requiredFiles ?? [])])].filter(
      (name) => !layer.ownFiles?.includes(name),
    );
    return [...folders].flatMap(([folder, names]) =>
      wanted
        .filter((name) => !names.has(name))
        .map((name) => `${folder} has no ${name}, which every folder of ${layer.name} has`),
    );
  });
}

/** Sub-folders of a layer with the names directly in them. @param {string} root @param {Layer} layer @param {Layer[]} layers */
function adapterFolders(root, layer, layers) {
  /** @type {Map<string, Set<string>>} */
  const folders = new Map();
  for (const base of [layer.path].flat()) {
    for (const file of filesUnder(root, base)) {
      const [folder, ...rest] = file.slice(base.length + 1).split('/');
      if (rest.length === 0 || isTest(file) || layerOf(file, layers) !== layer) continue;
      const names = folders.get(`${base}/${folder}`) ?? new Set();
      folders.set(`${base}/${folder}`, names.add(rest[0] ?? ''));
    }
  }
  return folders;
}

/** Imports that lead back to where they started; those of types vanish at run time. @param {string} root @param {Module[]} modules */
function findCycles(root, modules) {
  const edges = new Map(
    modules.map(({ file, imports }) => [
      file,
      imports
        .filter(({ specifier, typeOnly }) => specifier !== null && !typeOnly)
        .map(({ specifier }) => resolveLocal(file, specifier ?? ''))
        .filter((target) => target !== null && existsSync(join(root, target))),
    ]),
  );
  const findings = new Set();
  const done = new Set();
  /** @param {string} file @param {string[]} path */
  const visit = (file, path) => {
    const at = path.indexOf(file);
    if (at !== -1) findings.add(`${[...path.slice(at), file].join(' → ')} is a cycle of imports`);
    if (at !== -1 || done.has(file)) return;
    for (const target of edges.get(file) ?? []) if (target !== null) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return [...findings];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const { LAYERS } = await import(pathToFileURL(join(root, 'layers.mjs')).href);
  const findings = checkLayers(root, LAYERS);
  for (const finding of findings) console.error(finding);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
