import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { clearedCookie, readSessionCookie, sessionCookie } from './session-cookie.ts';

describe('the session cookie (TW-04)', () => {
  it('has the __Host- prefix and Secure over TLS', () => {
    expect(sessionCookie(new Secret('v'), 60, true)).toBe(
      '__Host-tallygate_session=v; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure',
    );
    expect(clearedCookie(true)).toBe(
      '__Host-tallygate_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure',
    );
  });

  it('is read over TLS only under its prefixed name: a plain one may be planted by a neighbour', () => {
    expect(readSessionCookie('tallygate_session=planted', true)).toBeNull();
    expect(readSessionCookie('tallygate_session=planted; __Host-tallygate_session=mine', true)).toBe('mine');
    expect(readSessionCookie('__Host-tallygate_session=mine', false)).toBeNull();
    expect(readSessionCookie(undefined, true)).toBeNull();
    for (const value of ['', '\t\u0000', 'a b', 'a"b', 'a\\b', 'é'])
      expect(readSessionCookie(`tallygate_session=${value}`, false)).toBeNull();
  });
});
