import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { environment } from './environment.ts';
import { loadConfig } from './load-config.ts';

const { readFile } = environment();
const load = (env: Record<string, string>) => loadConfig({ flags: {}, env, cwd: tmpdir(), readFile }).config;

function problemOf(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const GOOD = {
  OIDC_ISSUER: 'https://id.example/realms/main',
  OIDC_CLIENT_ID: 'gate',
  OIDC_DEFAULT_ROLE: 'viewer',
};

describe('settings of single sign-on (CF-14)', () => {
  it('take an issuer, a client and a way to a role', () => {
    const config = load({
      ...GOOD,
      OIDC_CLIENT_SECRET: 's3cret',
      OIDC_ROLE_MAP: 'a=b=admin, engineering=developer, lab=viewer@research',
    });
    expect(config.oidcRoleMap).toEqual(['a=b=admin', 'engineering=developer', 'lab=viewer@research']);
    expect(config.oidcIssuer).toBe(GOOD.OIDC_ISSUER);
    expect(JSON.stringify(config)).not.toContain('s3cret');
    expect(load({}).oidcIssuer).toBeNull();
  });

  it.each([
    [{ ...GOOD, OIDC_CLIENT_ID: '' }, 'Only oidcIssuer is set'],
    [{ OIDC_CLIENT_ID: 'gate' }, 'Only oidcClientId is set'],
    [{ OIDC_CLIENT_SECRET: 'x' }, 'oidcClientSecret is set, but oidcIssuer is not'],
    [{ ...GOOD, OIDC_DEFAULT_ROLE: '' }, 'neither oidcRoleMap nor oidcDefaultRole'],
    [{ ...GOOD, OIDC_SCOPES: 'profile email' }, 'lacks "openid"'],
    [{ ...GOOD, OIDC_REDIRECT_URL: 'https://gate.example/' }, 'does not end in /api/auth/sso/return'],
    [{ ...GOOD, OIDC_ISSUER: 'http://id.example' }, 'speaks plain http'],
    [{ ...GOOD, OIDC_ISSUER: 'ftp://id.example' }, 'oidcIssuer'],
    [{ ...GOOD, OIDC_ISSUER: 'https://user:pw@id.example' }, 'oidcIssuer'],
    [{ ...GOOD, OIDC_ROLE_MAP: 'engineering' }, 'oidcRoleMap'],
    [{ ...GOOD, OIDC_ROLE_MAP: 'engineering=viewer@Bad Name' }, 'oidcRoleMap'],
    [{ ...GOOD, OIDC_SECOND_FACTOR: 'nobody' }, 'oidcSecondFactor'],
  ])('refuse %o', (env, problem) => {
    expect(problemOf(env as Record<string, string>)).toContain(problem);
  });

  it('let a provider on this machine, or one that is listed, speak plain http', () => {
    expect(load({ ...GOOD, OIDC_ISSUER: 'http://localhost:9000' }).oidcIssuer).toBe('http://localhost:9000');
    const listed = { OIDC_ISSUER: 'http://id.lan:9000', EGRESS_ALLOW_HOSTS: 'id.lan' };
    expect(load({ ...GOOD, ...listed }).oidcIssuer).toBe('http://id.lan:9000');
  });
});
