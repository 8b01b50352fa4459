import { describe, expect, it } from 'vitest';
import { withoutMembers } from './without-members.ts';

const without = (text: string, ...names: string[]): string =>
  withoutMembers(Buffer.from(text), names).toString();

describe('taking members out of a JSON object', () => {
  it.each([
    ['{"model":"m","a":1.0}', '{"a":1.0}'],
    ['{"a":1e2,"model":"m"}', '{"a":1e2}'],
    ['{ "a" : [1, 2] , "model" : { "x" : "}" } }', '{ "a" : [1, 2] }'],
    ['{"model":"m"}', '{}'],
    ['{"model":1,"model":2,"b":{"model":3}}', '{"b":{"model":3}}'],
    ['{"mo\\u0064el":"m","b":1}', '{"b":1}'],
    ['{"x":"\\"model\\":1","model"\n:\tfalse}', '{"x":"\\"model\\":1"}'],
    ['{"a":"Grüße","model":"🚀"}', '{"a":"Grüße"}'],
    ['{"a":1}', '{"a":1}'],
  ])('%s', (text, rest) => {
    expect(without(text, 'model')).toBe(rest);
    expect(() => JSON.parse(without(text, 'model'))).not.toThrow();
  });

  it('takes several', () => {
    expect(without('{"stream":true,"x":1,"model":"m"}', 'model', 'stream')).toBe('{"x":1}');
  });
});
