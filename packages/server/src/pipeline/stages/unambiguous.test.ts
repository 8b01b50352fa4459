import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertCostsOnce, assertNamedOnce, assertOwnLetters } from './unambiguous.ts';

function judge(text: string): void {
  assertOwnLetters({ parsed: JSON.parse(text) });
  assertNamedOnce({ body: Buffer.from(text) });
}

describe('a body says one thing (X-02, CF-13)', () => {
  it.each([
    ['{"model":"a","model":"b"}', /"model" more than once/],
    ['{"max_tokens":1,"messages":[{"max_tokens":2}],"max_tokens":3}', /"max_tokens" more than once/],
    ['{"model":"a","\\u006dodel":"b"}', /"model" more than once/],
    ['{"\\u006e":1,"model":"x","n":9}', /"n" more than once/],
    ['{"model":"a","MODEL":"b"}', /"MODEL" in other letters/],
    ['{"model":"a","Max_Tokens":5}', /"Max_Tokens" in other letters/],
    ['{"generationconfig":{}}', /"generationconfig" in other letters/],
  ])('400 for %s', (text, why) => {
    expect(() => judge(text)).toThrow(why);
  });

  it('may name the same inside of values, in text, and what nothing goes by as often as it likes', () => {
    judge('{"model":"model","messages":[{"role":"user","content":"\\"model\\": and \\u0000","model":"x"}]}');
    judge('{"model":"a","tools":[{"name":"n","parameters":{"model":1,"n":2,"max_tokens":3}}],"n":1}');
    judge('{"model":"a","x":1,"x":2,"X":3}');
    judge('{}');
    assertOwnLetters({ parsed: null });
    assertNamedOnce({ body: null });
  });

  it('passes whatever a serializer writes', () => {
    const name = fc.oneof(fc.constantFrom('model', 'n', 'tools', 'user'), fc.string({ maxLength: 6 }));
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue({ maxDepth: 3 })), (body) => {
        const odd = Object.keys(body).some(
          (key) => key !== key.toLowerCase() && /^(model|n|tools|user|input)$/i.test(key),
        );
        fc.pre(!odd);
        expect(() => judge(JSON.stringify(body))).not.toThrow();
      }),
    );
  });
});

describe('what a request may cost is said once (X-02)', () => {
  const judgeCost = (text: string): void =>
    assertCostsOnce({ body: Buffer.from(text), parsed: JSON.parse(text) });

  it.each([
    ['{"max_tokens":900000,"model":"m","max_tokens":1}', /"max_tokens" more than once/],
    ['{"max_tokens":900000,"model":"m","max_\\u0074okens":1}', /"max_tokens" more than once/],
    ['{"model":"dear","messages":[],"model":"cheap"}', /"model" more than once/],
    ['{"n":99,"model":"m","n":1}', /"n" more than once/],
    ['{"generationConfig":{"maxOutputTokens":9},"generationConfig":{}}', /"generationConfig" more than once/],
    [
      '{"generationConfig":{"maxOutputTokens":9,"maxOutputTokens":1}}',
      /"generationConfig.maxOutputTokens" more/,
    ],
    [
      '{"generation_config":{"candidate_count":9, "candidate\\u005fcount":1}}',
      /"generation_config.candidate_count" m/,
    ],
    ['{"serviceTier":"priority","serviceTier":"standard"}', /"serviceTier" more than once/],
    ['{"cachedContent":"a","contents":[],"cachedContent":null}', /"cachedContent" more than once/],
    [
      '{"messages":[{"content":[{"type":"image","source":{"type":"url"}}]}],"messages":[]}',
      /"messages" more/,
    ],
  ])('400 for %s', (text, why) => {
    expect(() => judgeCost(text)).toThrow(why);
  });

  it('lets pass what is repeated deeper, in text, escaped text, and what no cost goes by', () => {
    judgeCost(
      '{"model":"model","messages":[{"model":"x","content":"\\"model\\" caf\\u00e9"}],"max_tokens":1}',
    );
    judgeCost('{"system":"a","system":"b","model":"a"}');
    judgeCost(
      '{"generationConfig":{"topK":1,"topK":2},"contents":[{"maxOutputTokens":1,"n":"maxOutputTokens"}]}',
    );
    judgeCost('{}');
    assertCostsOnce({ body: null, parsed: null });
  });

  it('is found wherever the second stands, for every name that the cost goes by', () => {
    const name = fc.constantFrom('model', 'max_tokens', 'n', 'tools', 'service_tier', 'max_output_tokens');
    fc.assert(
      fc.property(
        name,
        fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 })),
        (twice, rest) => {
          const others = Object.entries(rest).filter(([key]) => key !== twice && key !== '__proto__');
          const members = others.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
          const once = `${JSON.stringify(twice)}:1`;
          expect(() => judgeCost(`{${[once, ...members].join(',')}}`)).not.toThrow();
          expect(() => judgeCost(`{${[once, ...members, once].join(',')}}`)).toThrow(/more than once/);
        },
      ),
    );
  });
});
