import { describe, expect, it } from 'vitest';
import { createCors } from './cors.ts';

/** What an answer would carry, and whether it was given already. */
function admit(origins: string[], method: string, headers: Record<string, string>) {
  const sent: Record<string, unknown> = {};
  let status: number | null = null;
  const response = {
    setHeader: (name: string, value: unknown) => {
      sent[name] = value;
    },
    writeHead: (code: number) => {
      status = code;
      return { end: () => undefined };
    },
  };
  const answered = createCors(origins).admit({ method, headers }, response);
  return { sent, status, answered };
}
const APP = 'https://app.example';
const PREFLIGHT = { origin: APP, 'access-control-request-method': 'POST' };

describe('pages of other origins (CW-05)', () => {
  it.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'https://sub.app.example',
    'http://app.example',
    'https://app.example:444',
    'https://APP.example',
    'https://app.example/',
    'null',
    '',
  ])('get nothing when they are not on the list: %j', (origin) => {
    for (const method of ['POST', 'OPTIONS'])
      expect(admit([APP], method, { ...PREFLIGHT, origin })).toEqual({
        sent: {},
        status: null,
        answered: false,
      });
  });

  it('are nobody where the list is empty', () => {
    expect(admit([], 'OPTIONS', PREFLIGHT)).toEqual({ sent: {}, status: null, answered: false });
  });

  it('get their own origin, never the browser’s credentials', () => {
    const { sent, answered } = admit([APP, 'https://two.example'], 'POST', { origin: APP });
    expect(sent).toMatchObject({ 'access-control-allow-origin': APP, vary: 'Origin' });
    expect(Object.keys(sent)).not.toContain('access-control-allow-credentials');
    expect(answered).toBe(false);
  });

  it('any is any, said as a star and again without credentials', () => {
    const { sent } = admit(['*'], 'POST', { origin: 'https://whoever.example' });
    expect(sent['access-control-allow-origin']).toBe('*');
    expect(Object.keys(sent)).not.toContain('access-control-allow-credentials');
  });

  it('are answered at once when they ask first, with what may be sent', () => {
    const headers = { ...PREFLIGHT, 'access-control-request-headers': 'authorization, x-stainless-os' };
    const { sent, status, answered } = admit([APP], 'OPTIONS', headers);
    expect([status, answered]).toEqual([204, true]);
    expect(sent).toMatchObject({
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, x-stainless-os',
      'access-control-max-age': 600,
    });
  });

  it.each(['a\r\nset-cookie: x', 'a b', 'a,,b', 'a;b', `x${'a'.repeat(2_048)}`, 'ü', ''])(
    'are not repeated what is no list of names: %j',
    (asked) => {
      const { sent } = admit([APP], 'OPTIONS', { ...PREFLIGHT, 'access-control-request-headers': asked });
      expect(Object.keys(sent)).not.toContain('access-control-allow-headers');
    },
  );

  it('an OPTIONS that asks for nothing is no preflight', () => {
    expect(admit([APP], 'OPTIONS', { origin: APP }).answered).toBe(false);
  });
});
