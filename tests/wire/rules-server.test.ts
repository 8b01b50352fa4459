import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PoolWorld, served, startPoolWorld } from '@tallygate/testkit/pool-world';
import { afterEach, describe, expect, it } from 'vitest';

let world: PoolWorld;
afterEach(() => world.stop());

const start = async () => {
  world = await startPoolWorld({ accounts: [{ name: 'first' }, { name: 'second' }] });
};
const OPUS = 'claude-opus-4-1';
const HAIKU = 'claude-haiku-4-5';
const admin = <T = { id: string }>(method: string, path: string, body?: unknown) =>
  world.gate.admin<T>(method, path, body);

/** Every file of the data directory. */
async function filesUnder(dir: string): Promise<[name: string, bytes: Buffer][]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(
      async ({ parentPath, name }): Promise<[string, Buffer]> => [
        name,
        await readFile(join(parentPath, name)),
      ],
    ),
  );
}

describe('pools and rules of a running server', () => {
  it('take effect with the next request, and stay over a restart (CF-05, CF-09)', async () => {
    await start();
    expect(served(await world.messages({ model: OPUS }).answer)).toBe('first');
    const accountIds = world.gate.accounts.slice(1).map(({ id }) => id);
    const pool = await admin('POST', '/api/pools', { name: 'spares', accountIds });
    const rule = await admin('POST', '/api/rules', {
      name: 'small',
      conditions: { models: ['claude-opus-*'] },
      actions: { model: HAIKU, pool: pool.id },
    });
    const answer = await world.messages({ model: OPUS }).answer;
    expect(served(answer)).toBe('second');
    const row = await world.rowOf(answer);
    expect(row.request).toMatchObject({ modelRequested: OPUS });
    expect(row).toMatchObject({ pool: { name: 'spares' }, rule: { name: 'small' } });
    expect(row.attempts).toMatchObject([{ model: HAIKU, chosenBy: 'only' }]);
    expect(await world.gate.terminate()).toBe(0);
    await world.gate.restart();
    expect(served(await world.messages({ model: OPUS }).answer)).toBe('second');
    await admin('PATCH', `/api/rules/${rule.id}`, { enabled: false });
    expect(served(await world.messages({ model: OPUS }).answer)).toBe('first');
  });

  it('says which rule would apply and why, and sends nothing (CF-09)', async () => {
    await start();
    await admin('POST', '/api/rules', {
      name: 'a',
      conditions: { models: ['gpt-*'] },
      actions: { deny: 'x' },
    });
    await admin('POST', '/api/rules', {
      name: 'b',
      conditions: { systemContains: ['reviewer'] },
      actions: { model: HAIKU, maxOutputTokens: 10 },
    });
    const body = {
      model: OPUS,
      max_tokens: 99,
      system: [{ type: 'text', text: 'a reviewer' }],
      messages: [],
    };
    expect(await admin<object>('POST', '/api/rules/test', { body })).toMatchObject({
      facts: { model: OPUS, systemChars: 10 },
      rules: [
        { name: 'a', applies: false, reason: 'It does not hold that the model is gpt-*.' },
        { name: 'b', applies: true, reason: 'It holds that the system prompt contains "reviewer".' },
      ],
      rule: { name: 'b' },
      changes: [
        { what: 'model', from: OPUS, to: HAIKU },
        { what: 'max_output_tokens', from: '99', to: '10' },
      ],
    });
    const none = await world.gate.adminRequest('POST', '/api/rules/test', { path: '/v1/nowhere', body });
    expect(none.status).toBe(400);
    expect(Object.values(world.upstreams).every((one) => one.requests.length === 0)).toBe(true);
  });

  it("a client's own key is nowhere but upstream: not on disk, in the log, or in an answer (CF-10)", async () => {
    await start();
    await admin('POST', '/api/rules', { name: 'own', conditions: {}, actions: { ownKey: true } });
    const key = 'sk-ant-canary-of-the-client-0123456789';
    const upstream = world.upstreams.first ?? expect.fail('no upstream');
    const answer = await world.messages({}, [['x-tallygate-upstream-key', key]]).answer;
    expect([answer.status, upstream.requests[0]?.value('x-api-key')]).toEqual([200, key]);
    upstream.respondOnce((exchange) => exchange.reset());
    await world.messages({}, [['x-tallygate-upstream-key', key]]).answer;
    await world.messages({}, [['x-tallygate-upstream-key', `${key} `]]).answer;
    const row = JSON.stringify(await world.rowOf(answer));
    const places = [
      ...(await filesUnder(world.gate.dataDir)),
      ['output', Buffer.from(world.gate.output())] as const,
    ];
    const found = places.filter(([, bytes]) => bytes.includes(key)).map(([name]) => name);
    expect([found, row.includes(key), answer.text.includes(key)]).toEqual([[], false, false]);
  });
});

describe('an account that is bound', () => {
  it('serves its project and nobody else, and its project nothing else (CF-02)', async () => {
    await start();
    const project = await admin('POST', '/api/projects', { slug: 'web' });
    const [, second] = world.gate.accounts;
    await admin('PATCH', `/api/accounts/${second?.id}`, { boundTo: [`project:${project.id}`] });
    expect(served(await world.messages().answer)).toBe('first');
    await world.gate.pauseAccount(world.gate.accounts[0]?.id ?? '', true);
    expect((await world.messages().answer).status).toBe(503);
  });
});
