import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { describe, expect, it } from 'vitest';

const { run, serve } = stubbedCli();

describe('vault (CF-13)', () => {
  const status = {
    masterKey: { id: '00112233aabbccdd', source: 'environment' },
    nextMasterKeyId: 'ffeeddccbbaa9988',
    dataKeys: [
      { id: 'aaaaaaaaaaaaaaaa', createdAt: '2026-11-01T00:00:00.000Z', active: false, values: 0 },
      { id: 'bbbbbbbbbbbbbbbb', createdAt: '2026-11-22T00:00:00.000Z', active: true, values: 1200 },
    ],
    otherValues: 0,
    job: { kind: 'data-key', done: 3, total: 9 },
  };

  it('status shows keys by id and what is running', async () => {
    await serve({ 'GET /api/vault': () => ({ json: status }) });
    const { code, out } = await run(['vault', 'status'], { outIsTerminal: true });
    expect(code).toBe(0);
    for (const part of ['00112233aabbccdd', 'ffeeddccbbaa9988', 'retired', 'seals', '1,200', '3 of 9'])
      expect(out).toContain(part);
  });

  it('rotate-master-key sends the key of the variable and says how to finish', async () => {
    const done = { keyId: 'n', previousKeyId: 'o', previousKeyFile: null, restartNeeded: true };
    const server = await serve({ 'POST /api/vault/rotate-master-key': () => ({ json: done }) });
    const env = { NEW_KEY: 'A'.repeat(43) };
    const args = ['vault', 'rotate-master-key', '--new-key-env', 'NEW_KEY'];
    const { code, out, error } = await run(args, { env, outIsTerminal: true });
    expect(code).toBe(0);
    expect(server.calls.find((call) => call.method === 'POST')?.body).toEqual({ newKey: env.NEW_KEY });
    expect(out).toContain('Start the server with n as TALLYGATE_MASTER_KEY');
    expect(out + error).not.toContain(env.NEW_KEY);
    const elsewhere = await run(['vault', 'rotate-master-key', '--server', 'https://gate.example']);
    expect([elsewhere.code, elsewhere.error]).toEqual([2, expect.stringContaining('machine of the server')]);
  });

  it('rotate-data-key says what it did', async () => {
    await serve({ 'POST /api/vault/rotate-data-key': () => ({ json: { keyId: 'k', resealed: 1200 } }) });
    const { code, out } = await run(['vault', 'rotate-data-key'], { outIsTerminal: true });
    expect([code, out]).toEqual([0, 'Data key k seals from now on; 1,200 values were sealed with it.\n']);
  });
});
