// Splits TypeScript into just enough tokens to find imports and string literals without being fooled by
// comments, strings, templates and regular expressions. The compiler has no API for this any more.

/** @typedef {{ kind: 'word' | 'string' | 'template' | 'punctuation' | 'comment', text: string, line: number }} Token */

const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const SPACE = /\s+/y;
const NUMBER = /\d[\w.]*/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const BLOCK_COMMENT = /\/\*[\s\S]*?(?:\*\/|$)/y;
const STRING = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y;
const REGULAR_EXPRESSION = /\/(?![*/])(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;

/** After one of these a slash begins a regular expression although the token is a word. */
const BEFORE_EXPRESSION = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'do',
  'else',
  'await',
  'yield',
]);

/**
 * @param {string} source
 * @returns {Token[]}
 */
export function tokenize(source) {
  const reader = new Reader(source);
  reader.readUntil(null);
  return reader.tokens;
}

class Reader {
  /** @type {Token[]} */
  tokens = [];
  position = 0;
  line = 1;

  /** @param {string} source */
  constructor(source) {
    this.source = source;
  }

  /** Reads tokens up to the unpaired closing brace (inside a template) or to the end. @param {'}' | null} end */
  readUntil(end) {
    let depth = 0;
    while (this.position < this.source.length) {
      const character = this.source[this.position];
      if (end !== null && character === '}' && depth === 0) return;
      if (character === '{') depth++;
      if (character === '}') depth--;
      this.readOne();
    }
  }

  readOne() {
    if (this.skip(SPACE)) return;
    if (this.take(LINE_COMMENT, 'comment') || this.take(BLOCK_COMMENT, 'comment')) return;
    if (this.take(WORD, 'word') || this.skip(NUMBER)) return;
    if (this.source[this.position] === '`') return this.readTemplate();
    const string = this.match(STRING);
    if (string !== null) return this.push('string', string, string.slice(1, -1));
    if (this.expectsExpression()) {
      const pattern = this.match(REGULAR_EXPRESSION);
      if (pattern !== null) return this.push('punctuation', pattern, '/regex/');
    }
    const character = this.source[this.position] ?? '';
    this.push('punctuation', character, character);
  }

  readTemplate() {
    const start = this.position++;
    const line = this.line;
    const place = this.tokens.length;
    while (this.position < this.source.length) {
      const character = this.source[this.position];
      if (character === '\\') {
        this.advance(this.source.slice(this.position, this.position + 2));
      } else if (character === '`') {
        this.position++;
        break;
      } else if (character === '$' && this.source[this.position + 1] === '{') {
        this.position += 2;
        this.readUntil('}');
        this.position++;
      } else {
        this.advance(character ?? '');
      }
    }
    this.tokens.splice(place, 0, {
      kind: 'template',
      text: this.source.slice(start + 1, this.position - 1),
      line,
    });
  }

  expectsExpression() {
    const last = this.tokens.findLast((token) => token.kind !== 'comment');
    if (last === undefined) return true;
    if (last.kind === 'word') return BEFORE_EXPRESSION.has(last.text);
    return last.kind === 'punctuation' && ![')', ']', '}', '/regex/'].includes(last.text);
  }

  /** @param {RegExp} pattern */
  match(pattern) {
    pattern.lastIndex = this.position;
    return pattern.exec(this.source)?.[0] ?? null;
  }

  /** @param {RegExp} pattern @param {Token['kind']} kind */
  take(pattern, kind) {
    const text = this.match(pattern);
    if (text === null) return false;
    this.push(kind, text, text);
    return true;
  }

  /** @param {RegExp} pattern */
  skip(pattern) {
    const text = this.match(pattern);
    if (text !== null) this.advance(text);
    return text !== null;
  }

  /** @param {Token['kind']} kind @param {string} source @param {string} text */
  push(kind, source, text) {
    this.tokens.push({ kind, text, line: this.line });
    this.advance(source);
  }

  /** @param {string} text */
  advance(text) {
    this.position += text.length;
    for (const character of text) if (character === '\n') this.line++;
  }
}
