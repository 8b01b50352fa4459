import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.ts';

describe('secret (TW-14)', () => {
  it('cannot be printed in any of the ways values are printed', () => {
    const secret = new Secret('sk-ant-canary-0123456789');
    const printed = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ a: [secret] }, { depth: 9 }),
      Object.entries(secret).join(),
    ];
    for (const text of printed) expect(text).not.toContain('canary');
    expect(secret.reveal()).toBe('sk-ant-canary-0123456789');
  });

  it('hints only when enough stays hidden', () => {
    expect(new Secret('sk-ant-canary-0123456789').hint()).toBe('6789');
    expect(new Secret('short-secret').hint()).toBeNull();
  });
});
