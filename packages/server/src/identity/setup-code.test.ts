import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createSetupCode } from './setup-code.ts';

describe('createSetupCode (WT-11)', () => {
  it('has no code before one is issued, so nothing matches', () => {
    const setup = createSetupCode(randomBytes);
    expect(setup.pending).toBe(false);
    expect(setup.take('')).toBe(false);
  });

  it('is 256 bits, different at each start, and not kept', () => {
    const setup = createSetupCode(randomBytes);
    const code = setup.issue().reveal();
    expect(Buffer.from(code, 'base64url')).toHaveLength(32);
    expect(createSetupCode(randomBytes).issue().reveal()).not.toBe(code);
    expect(inspect(setup, { depth: 9, showHidden: true })).not.toContain(code);
  });

  it('is taken once; released after a failure; over for good once finished', () => {
    const setup = createSetupCode(randomBytes);
    const code = setup.issue().reveal();
    expect(setup.take(`${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`)).toBe(false);
    expect(setup.take(code)).toBe(true);
    expect(setup.take(code)).toBe(false);
    setup.release();
    expect(setup.take(code)).toBe(true);
    setup.finish();
    setup.release();
    expect(setup.take(code)).toBe(false);
    expect(setup.pending).toBe(false);
  });
});
