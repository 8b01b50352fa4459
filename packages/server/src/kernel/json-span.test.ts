import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMember, repeatedMember, setMember } from './json-span.ts';

/** JSON text with arbitrary white space between tokens, as clients may send it. */
function withSpaces(value: unknown, space: string): string {
  return JSON.stringify(value, null, space);
}

const document = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });
const space = fc.constantFrom('', ' ', '\t', '  ');

describe('json-span', () => {
  it('finds the value that JSON.parse would give', () => {
    fc.assert(
      fc.property(document, space, (value, gap) => {
        const bytes = Buffer.from(withSpaces(value, gap));
        const parsed = JSON.parse(bytes.toString()) as Record<string, unknown>;
        for (const key of Object.keys(parsed)) {
          const member = findMember(bytes, key);
          expect(member).not.toBeNull();
          const text = bytes.toString('utf8', member?.valueStart, member?.valueEnd);
          expect(JSON.parse(text)).toEqual(parsed[key]);
        }
        expect(findMember(bytes, 'no such key')).toBeNull();
      }),
    );
  });

  it('sets one member and leaves every other byte as it was', () => {
    fc.assert(
      fc.property(document, space, fc.jsonValue(), (value, gap, next) => {
        const bytes = Buffer.from(withSpaces(value, gap));
        const changed = setMember(bytes, 'stream_options', JSON.stringify(next));
        const expected = JSON.parse(JSON.stringify({ ...value, stream_options: next })) as unknown;
        expect(JSON.parse(changed.toString())).toEqual(expected);
        const member = findMember(changed, 'stream_options');
        const before = changed.subarray(0, member?.valueStart);
        const after = changed.subarray(member?.valueEnd);
        if (Object.hasOwn(value, 'stream_options')) {
          expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
          expect(bytes.subarray(bytes.length - after.length).equals(after)).toBe(true);
        } else
          expect(bytes.toString()).toBe(
            `{${changed.toString('utf8', (member?.valueEnd ?? 0) + (changed[member?.valueEnd ?? 0] === 0x2c ? 1 : 0))}`,
          );
      }),
    );
  });

  it('names what stands twice at the top level, however it is spelt, and not what is deeper', () => {
    const repeated = (text: string) => repeatedMember(Buffer.from(text), new Set(['model', 'n']));
    expect(repeated('{"model":"a","x":[{"model":1}],"x":2,"y":"\\"model\\":"}')).toBeNull();
    expect(repeated('{"model":"a","x":{"n":1},"mod\\u0065l":"b"}')).toBe('model');
    expect(repeated('{"n":1,"model":"a","n":1}')).toBe('n');
    expect(repeated('{}')).toBeNull();
  });

  it('takes the last of repeated keys, as JSON.parse does, and is not fooled by strings', () => {
    const bytes = Buffer.from('{"a":"\\"model\\":1,{","model":"x","model":"y\\\\"}');
    const member = findMember(bytes, 'model');
    expect(bytes.toString('utf8', member?.valueStart, member?.valueEnd)).toBe('"y\\\\"');
    expect(findMember(Buffer.from('[1]'), 'a')).toBeNull();
  });
});
