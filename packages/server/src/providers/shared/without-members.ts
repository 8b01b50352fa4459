import { findMember, type JsonMember } from '../../kernel/json-span.ts';

const COMMA = 0x2c;
const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** Where the key of a member begins, going back over the colon from its value. */
function keyStart(bytes: Buffer, member: { key: string; valueStart: number }): number {
  let at = member.valueStart - 1;
  while (bytes[at] !== 0x3a) at -= 1; // the colon: nothing but spaces lies between
  do at -= 1;
  while (isSpace(bytes[at]));
  for (at -= 1; ; at -= 1) {
    if (bytes[at] !== 0x22) continue;
    let slashes = 0;
    while (bytes[at - 1 - slashes] === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
}

/** The bytes of a member with one of the commas around it. */
function spanOf(bytes: Buffer, member: JsonMember): { from: number; to: number } {
  const from = keyStart(bytes, member);
  let to = member.valueEnd;
  while (isSpace(bytes[to])) to += 1;
  if (bytes[to] === COMMA) return { from, to: to + 1 };
  let before = from - 1; // the last one: its comma stands before it
  while (isSpace(bytes[before])) before -= 1;
  return { from: bytes[before] === COMMA ? before : from, to };
}

/** The JSON object without these members, however often they occur; every other byte stays as it is. */
export function withoutMembers(bytes: Buffer, names: readonly string[]): Buffer {
  let rest = bytes;
  for (const name of names) {
    for (let member = findMember(rest, name); member !== null; member = findMember(rest, name)) {
      const { from, to } = spanOf(rest, member);
      rest = Buffer.concat([rest.subarray(0, from), rest.subarray(to)]);
    }
  }
  return rest;
}
