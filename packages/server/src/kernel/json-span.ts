/**
 * Finds top-level members of a JSON object in its bytes, so that one value can be replaced and every other byte
 * of the document stays as it was sent. The document must have passed `JSON.parse` already.
 */
export interface JsonMember {
  key: string;
  /** Byte range of the value. */
  valueStart: number;
  valueEnd: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function skipSpace(bytes: Buffer, index: number): number {
  let at = index;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/** Index after the string that starts at `index`. */
function skipString(bytes: Buffer, index: number): number {
  for (let at = bytes.indexOf(QUOTE, index + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  return bytes.length;
}

const opens = (byte: number | undefined): boolean => byte === OPEN_BRACE || byte === OPEN_BRACKET;
const closes = (byte: number | undefined): boolean => byte === CLOSE_BRACE || byte === CLOSE_BRACKET;

/** Index after the object or array that opens at `index`. */
function skipContainer(bytes: Buffer, index: number): number {
  let depth = 0;
  for (let at = index; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    if (opens(byte)) depth += 1;
    else if (closes(byte)) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return bytes.length;
}

/** Index after the value that starts at `index`. */
function skipValue(bytes: Buffer, index: number): number {
  const first = bytes[index];
  if (first === QUOTE) return skipString(bytes, index);
  if (opens(first)) return skipContainer(bytes, index);
  let at = index;
  while (at < bytes.length && bytes[at] !== COMMA && !closes(bytes[at]) && !isSpace(bytes[at])) at += 1;
  return at;
}

/** Index of the `{` that opens the document, -1 when it is not an object. */
export function objectStart(bytes: Buffer): number {
  const at = skipSpace(bytes, 0);
  return bytes[at] === OPEN_BRACE ? at : -1;
}

/** Shows every top-level member in order, until one is enough. */
function eachMember(bytes: Buffer, enough: (member: JsonMember) => boolean): void {
  const open = objectStart(bytes);
  if (open === -1) return;
  for (let at = skipSpace(bytes, open + 1); bytes[at] === QUOTE; ) {
    const keyEnd = skipString(bytes, at);
    const name: unknown = JSON.parse(bytes.toString('utf8', at, keyEnd));
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) return;
    const valueStart = skipSpace(bytes, at + 1);
    const valueEnd = skipValue(bytes, valueStart);
    if (enough({ key: String(name), valueStart, valueEnd })) return;
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
}

/** The last top-level member of that name (the one `JSON.parse` keeps), or null. */
export function findMember(bytes: Buffer, key: string): JsonMember | null {
  let found = null as JsonMember | null;
  eachMember(bytes, (member) => {
    if (member.key === key) found = member;
    return false;
  });
  return found;
}

/** The first of the names that the object has more than once at its top level, or null. */
export function repeatedMember(bytes: Buffer, names: ReadonlySet<string>): string | null {
  const seen = new Set<string>();
  let repeated = null as string | null;
  eachMember(bytes, ({ key }) => {
    if (seen.has(key)) repeated = key;
    else if (names.has(key)) seen.add(key);
    return repeated !== null;
  });
  return repeated;
}

/**
 * Sets one top-level member and leaves every other byte alone: an existing value is replaced in place, a new
 * member goes first.
 * @param valueJson the value, already JSON text
 */
export function setMember(bytes: Buffer, key: string, valueJson: string): Buffer {
  const member = findMember(bytes, key);
  if (member) {
    return Buffer.concat([
      bytes.subarray(0, member.valueStart),
      Buffer.from(valueJson),
      bytes.subarray(member.valueEnd),
    ]);
  }
  const open = objectStart(bytes);
  if (open === -1) return bytes;
  const empty = bytes[skipSpace(bytes, open + 1)] === CLOSE_BRACE;
  const insert = Buffer.from(`${JSON.stringify(key)}:${valueJson}${empty ? '' : ','}`);
  return Buffer.concat([bytes.subarray(0, open + 1), insert, bytes.subarray(open + 1)]);
}
