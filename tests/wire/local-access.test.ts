import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import type { SystemView } from '@tallygate/contract/api/system';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const VALUE = 'local-3fN8qXz71LkVb2Rt0PwYcD5s-environment';
let dataDir: string;
let world: WireWorld | null = null;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tallygate-local-'));
});
afterEach(async () => {
  await world?.stop();
  world = null;
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts a gate on the same data directory, with upstreams of its own. */
async function start(config: Record<string, string>): Promise<WireWorld> {
  for (const { id } of world?.gate.accounts ?? []) await world?.gate.admin('DELETE', `/api/accounts/${id}`);
  await world?.stop();
  world = null;
  world = await startWireWorld({ config, dataDir, keys: [] });
  return world;
}
const status = async (key: string | null, headers: [string, string][] = []) =>
  (await world?.messages(MESSAGES_BODY, { key, headers }).answer)?.status;
const system = () => (world as WireWorld).gate.admin<SystemView>('GET', '/api/system');
const keys = async () =>
  (await (world as WireWorld).gate.admin<{ keys: ApiKeyView[] }>('GET', '/api/keys')).keys;

describe('the key from the environment (TW-06)', () => {
  it('works, has a row of its own, warns, and ends with the variable', async () => {
    const first = await start({ TOKENWATCHER_API_KEY: VALUE });
    const answer = await first.messages(MESSAGES_BODY, { key: VALUE }).answer;
    expect(answer.status).toBe(200);
    const [row] = await keys();
    expect(row).toMatchObject({ kind: 'environment', name: 'Environment key', expiresAt: null });
    expect((await first.rowOf(answer)).request.key?.id).toBe(row?.id);
    expect((await system()).warnings.map(({ code }) => code)).toEqual(['environment_key']);
    expect(first.gate.output()).toMatch(/WARNING: The API key from TALLYGATE_API_KEY is in use/);
    expect(first.gate.output()).not.toContain(VALUE);
    expect(JSON.stringify(await keys())).not.toContain(VALUE.slice(0, 12));

    await start({});
    expect(await status(VALUE)).toBe(401);
    expect((await system()).warnings).toEqual([]);
    await start({ TALLYGATE_API_KEY: VALUE });
    expect(await status(VALUE)).toBe(200);
    expect(await keys()).toHaveLength(1);
  });

  it('is not taken in production unless allowed', async () => {
    const config = { TALLYGATE_API_KEY: VALUE, NODE_ENV: 'production' };
    const refused = await start(config);
    expect(await status(VALUE)).toBe(401);
    expect(refused.gate.output()).toContain('NODE_ENV is production');
    await start({ ...config, TALLYGATE_ALLOW_ENVIRONMENT_KEY: 'true' });
    expect(await status(VALUE)).toBe(200);
  });

  it('stays revoked, and an issued key in the variable is no environment key', async () => {
    const first = await start({ TALLYGATE_API_KEY: VALUE });
    const [row] = await keys();
    await first.gate.revokeKey(row?.id ?? '');
    expect(await status(VALUE)).toBe(401);
    const again = await start({ TALLYGATE_API_KEY: VALUE });
    expect(await status(VALUE)).toBe(401);
    expect(again.gate.output()).toContain('was revoked and stays so');
    const { key } = await again.gate.addKey();
    await start({ TALLYGATE_API_KEY: key });
    expect((await system()).warnings).toEqual([]);
    expect(await keys()).toHaveLength(2);
  });
});

describe('ENABLE_CLIENT_AUTH=false (NX-02)', () => {
  const OFF = { ENABLE_CLIENT_AUTH: 'false' };

  it('lets programs on this machine in, and nobody else, loudly', async () => {
    const open = await start(OFF);
    const answer = await open.messages(MESSAGES_BODY, { key: null }).answer;
    expect(answer.status).toBe(200);
    expect((await open.rowOf(answer)).request.key?.name).toBe('Without a key');
    expect(await status('sk-whatever-the-sdk-insists-on')).toBe(200);
    for (const header of [
      ['Origin', 'https://evil.example'],
      ['Sec-Fetch-Site', 'cross-site'],
      ['X-Forwarded-For', '203.0.113.9'],
      ['Forwarded', 'for=203.0.113.9'],
      ['Host', 'rebound.example'],
    ] as const) {
      expect([header[0], await status(null, [[...header]])]).toEqual([header[0], 401]);
    }
    expect((await system()).warnings.map(({ code }) => code)).toEqual(['client_auth_off']);
    expect(open.gate.output()).toContain('WARNING: Client authentication is OFF');
    const { id, key } = await open.gate.addKey();
    const own = await open.messages(MESSAGES_BODY, { key }).answer;
    expect((await open.rowOf(own)).request.key?.id).toBe(id);

    await start({});
    expect(await status(null)).toBe(401);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1'])('is refused on %s', async (HOST) => {
    await expect(start({ ...OFF, HOST })).rejects.toThrow(
      /Refusing to listen on .* without client authentication/,
    );
  });
});
