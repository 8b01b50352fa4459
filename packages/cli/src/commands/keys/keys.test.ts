import { runCliProcess } from '@tallygate/testkit/cli-process';
import { stubKey } from '@tallygate/testkit/stub-admin-data';
import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { describe, expect, it } from 'vitest';

const cli = stubbedCli();
const { run, serve } = cli;

describe('keys', () => {
  const created = { ...stubKey({ scopes: ['gateway', 'read'] }), key: 'tg_abcdef_whole' };

  it('create prints {"id","key","prefix",…} on one line (TW-05)', async () => {
    const server = await serve({ 'POST /api/keys': () => ({ status: 201, json: created }) });
    const args = ['keys', 'create', '--name', 'laptop', '--scopes', 'gateway,read', '--project', 'ci'];
    const { code, stdout, stderr } = await runCliProcess([
      ...args,
      '--expires',
      '30d',
      '--data-dir',
      cli.dataDir,
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.entries(JSON.parse(stdout)).slice(0, 2)).toEqual([
      ['id', 'k1'],
      ['key', 'tg_abcdef_whole'],
    ]);
    expect(JSON.parse(stdout)).toEqual(created);
    const { expiresAt, ...body } = (server.calls[0]?.body ?? {}) as Record<string, string>;
    expect(body).toEqual({ name: 'laptop', scopes: ['gateway', 'read'], project: 'ci' });
    expect(Math.abs(Date.parse(expiresAt ?? '') - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
  });

  it('create asks for the scope gateway unless told', async () => {
    const server = await serve({ 'POST /api/keys': () => ({ json: created }) });
    expect((await run(['keys', 'create', '--name', 'x'])).out).toContain('Key\ttg_abcdef_whole');
    expect(server.calls[0]?.body).toEqual({ name: 'x', scopes: ['gateway'] });
  });

  const many = [
    stubKey(),
    stubKey({ id: 'k2', name: 'old', revokedAt: '2026-11-01T00:00:00.000Z' }),
    stubKey({ id: 'k3', name: 'gone', expiresAt: '2026-11-01T00:00:00.000Z' }),
  ];

  it('rotate sends the overlap, shows the new secret once and says how long the old one works (TW-05)', async () => {
    const previous = { prefix: 'tg_abcdef', expiresAt: '2026-11-22T13:00:00.000Z' };
    const rotated = { ...stubKey({ prefix: 'tg_new', previous }), key: 'tg_new_whole' };
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: [stubKey()] } }),
      'POST /api/keys/k1/rotate': () => ({ json: rotated }),
    });
    const { code, out } = await run(['keys', 'rotate', 'laptop', '--overlap', '1h'], { outIsTerminal: true });
    expect(code).toBe(0);
    expect(server.calls.at(-1)?.body).toEqual({ overlapSeconds: 3600 });
    expect(out).toContain('tg_new_whole');
    expect(out).toContain('tg_abcdef…) works until 2026-11-22T13:00:00.000Z');
    const json = await run(['keys', 'rotate', 'laptop', '--json']);
    expect(server.calls.at(-1)?.body).toEqual({ overlapSeconds: 0 });
    expect(JSON.parse(json.out)).toMatchObject({ id: 'k1', key: 'tg_new_whole' });
  });

  it('limit replaces the limits, and asks which when none is named (CF-13)', async () => {
    const restrictions = { addresses: ['10.0.0.0/8'], origins: [], models: ['a*', 'b'], providers: [] };
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: [stubKey()] } }),
      'PATCH /api/keys/k1': () => ({ json: stubKey({ restrictions }) }),
    });
    const args = ['keys', 'limit', 'laptop', '--addresses', '10.0.0.0/8', '--models', 'a*,b'];
    const { code, out } = await run(args, { outIsTerminal: true });
    expect([code, out]).toEqual([0, 'Limits of key laptop: addresses: 10.0.0.0/8; models: a* b.\n']);
    expect(server.calls.at(-1)?.body).toEqual({ restrictions });
    await run(['keys', 'limit', 'laptop', '--none']);
    expect(server.calls.at(-1)?.body).toEqual({
      restrictions: { addresses: [], origins: [], models: [], providers: [] },
    });
    for (const wrong of [[], ['--none', '--models', 'x']])
      expect((await run(['keys', 'limit', 'laptop', ...wrong])).code).toBe(2);
  });

  it('list shows those that work, all when asked', async () => {
    await serve({ 'GET /api/keys': () => ({ json: { keys: many } }) });
    const ids = async (args: string[]) =>
      JSON.parse((await run(['keys', 'list', '--json', ...args])).out).keys.map(
        (key: { id: string }) => key.id,
      );
    expect(await ids([])).toEqual(['k1']);
    expect(await ids(['--all'])).toEqual(['k1', 'k2', 'k3']);
    const { out } = await run(['keys', 'list', '--all'], { outIsTerminal: true });
    expect(out.split('\n')[0]).toMatch(
      /^ID +NAME +PREFIX +SCOPES +PROJECT +USER +LIMITS +STATE +EXPIRES \(UTC\)/,
    );
  });

  it('revoke finds by name, prefers the key that works, and is repeatable', async () => {
    const twice = [stubKey({ id: 'k0', revokedAt: '2026-11-01T00:00:00.000Z' }), stubKey()];
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: twice } }),
      'DELETE /api/keys/k1': () => ({ json: stubKey({ revokedAt: '2026-11-22T00:00:00.000Z' }) }),
    });
    expect((await run(['keys', 'revoke', 'laptop'])).out).toContain('Requests with it fail from now on.');
    expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toContain('DELETE /api/keys/k1');
    expect((await run(['keys', 'revoke', 'k0'])).out).toContain('was revoked before');
  });

  it('rename sends the new name', async () => {
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: many } }),
      'PATCH /api/keys/k1': () => ({ json: stubKey({ name: 'new' }) }),
    });
    expect((await run(['keys', 'rename', 'laptop', '--name', 'new'])).code).toBe(0);
    expect(server.calls.at(-1)?.body).toEqual({ name: 'new' });
  });

  it('an unknown name suggests; an ambiguous one asks for the id', async () => {
    await serve({ 'GET /api/keys': () => ({ json: { keys: [stubKey(), stubKey({ id: 'k9' })] } }) });
    const unknown = await run(['keys', 'revoke', 'laptpo']);
    expect(unknown).toMatchObject({
      code: 1,
      out: '',
      error: expect.stringContaining('Did you mean laptop?'),
    });
    expect((await run(['keys', 'revoke', 'laptop'])).error).toContain('k1, k9');
  });
});
