import { tokenize } from './tokens.mjs';

/**
 * One dependency of a module on another. `specifier` is null when it is computed at run time.
 * @typedef {{ specifier: string | null, typeOnly: boolean, line: number }} Import
 */

/**
 * Every import of a module: static, for side effects, of types, re-exports, `import()`, `require()` and
 * worker modules (`siblingModule(import.meta.url, './x')`).
 * @param {string} source
 * @returns {Import[]}
 */
export function findImports(source) {
  const tokens = tokenize(source).filter((token) => token.kind !== 'comment');
  /** @type {Import[]} */
  const found = [];
  tokens.forEach((token, index) => {
    if (token.kind !== 'word' || tokens[index - 1]?.text === '.') return;
    const line = token.line;
    const result = READERS.get(token.text)?.(tokens, index);
    if (result) found.push({ ...result, line });
  });
  return found;
}

/** @typedef {import('./tokens.mjs').Token} Token */
/** @typedef {(tokens: Token[], index: number) => { specifier: string | null, typeOnly: boolean } | null} ImportReader */

/** @type {Map<string, ImportReader>} */
const READERS = new Map([
  ['import', readImport],
  ['export', readReExport],
  ['require', (tokens, index) => (tokens[index + 2]?.kind === 'string' ? readCall(tokens, index) : null)],
  ['siblingModule', readSiblingModule],
]);

/** @type {ImportReader} */
function readImport(tokens, index) {
  const next = tokens[index + 1];
  if (next === undefined || next.text === '.' || next.text === ':') return null;
  if (next.text === '(') return readCall(tokens, index);
  if (next.kind === 'string') return { specifier: next.text, typeOnly: false };
  return readFrom(tokens, index);
}

/** @type {ImportReader} */
function readReExport(tokens, index) {
  const offset = tokens[index + 1]?.text === 'type' ? 2 : 1;
  const opening = tokens[index + offset]?.text;
  return opening === '*' || opening === '{' ? readFrom(tokens, index) : null;
}

/** Reads on to `from '…'` of the same statement. @type {ImportReader} */
function readFrom(tokens, index) {
  const typeOnly = tokens[index + 1]?.text === 'type' && tokens[index + 2]?.text !== 'from';
  for (let at = index + 1; isInClause(tokens[at]); at++) {
    if (tokens[at]?.text === 'from' && tokens[at + 1]?.kind === 'string') {
      return { specifier: tokens[at + 1]?.text ?? null, typeOnly };
    }
  }
  return null;
}

/** What may stand between `import` or `export` and `from`. @param {Token | undefined} token */
function isInClause(token) {
  return (
    token?.kind === 'word' || token?.kind === 'string' || ['{', '}', '*', ','].includes(token?.text ?? '')
  );
}

/** @type {ImportReader} */
function readCall(tokens, index) {
  if (tokens[index + 1]?.text !== '(') return null;
  const argument = tokens[index + 2];
  const closed = [')', ','].includes(tokens[index + 3]?.text ?? '');
  const literal = argument?.kind === 'string' && closed;
  return { specifier: literal ? (argument?.text ?? null) : null, typeOnly: false };
}

/** @type {ImportReader} */
function readSiblingModule(tokens, index) {
  if (tokens[index + 1]?.text !== '(' || tokens[index - 1]?.text === 'function') return null;
  const argument = tokens.slice(index + 2, index + 12).find((token) => token.kind === 'string');
  return argument === undefined ? null : { specifier: `${argument.text}.ts`, typeOnly: false };
}
