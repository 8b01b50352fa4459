import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInputRatios } from './input-ratios.ts';

describe('what bytes come to (X-02)', () => {
  it('rests where nine in ten requests are below', () => {
    const ratios = createInputRatios();
    // Ratios spread evenly between 0.1 and 0.3.
    for (let i = 0; i < 4_000; i++) {
      const tokens = 10_000 * (0.1 + 0.2 * (((i * 7_919) % 1_000) / 1_000));
      ratios.learn('f', 'm', { bytes: 10_000, tokens });
    }
    const likely = ratios.likely('f', 'm', 10_000);
    expect(likely).toBeGreaterThan(2_400);
    expect(likely).toBeLessThan(3_100);
  });

  it('keeps models and formats apart, and takes what is not known for 0.4', () => {
    const ratios = createInputRatios();
    for (let i = 0; i < 200; i++) ratios.learn('f', 'm', { bytes: 1_000, tokens: 1_000 });
    expect(ratios.likely('f', 'm', 1_000)).toBe(1_000);
    expect([ratios.likely('f', 'other', 1_000), ratios.likely('g', 'm', 1_000)]).toEqual([400, 400]);
  });

  it('short requests say nothing', () => {
    const ratios = createInputRatios();
    for (let i = 0; i < 200; i++) ratios.learn('f', 'm', { bytes: 399, tokens: 399 });
    expect(ratios.likely('f', 'm', 1_000)).toBe(400);
  });

  it('stays between its bounds, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(10_000_000)), { maxLength: 300 }), (seen) => {
        const ratios = createInputRatios();
        for (const [bytes, tokens] of seen) ratios.learn('f', 'm', { bytes, tokens });
        const likely = ratios.likely('f', 'm', 1_000);
        expect(likely >= 20 && likely <= 1_000).toBe(true);
      }),
    );
  });

  it('forgets rather than remembers more than 500 models', () => {
    const ratios = createInputRatios();
    const learn = (model: string): void => ratios.learn('f', model, { bytes: 1_000, tokens: 1 });
    for (let i = 0; i < 500; i++) learn(`m${i}`);
    expect(ratios.likely('f', 'm0', 1_000)).toBeLessThan(400);
    learn('one more');
    expect(ratios.likely('f', 'm0', 1_000)).toBe(400);
    expect(ratios.likely('f', 'one more', 1_000)).toBeLessThan(400);
  });
});
