import { request } from 'node:http';
import { eventually } from '@tallygate/testkit/eventually';
import { SoftPasskey } from '@tallygate/testkit/soft-passkey';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodesWorld, SKIPPED, startNodes } from './nodes-world.ts';

const OWNER = { username: 'owner', password: 'a-throwaway-Passphrase-91' };

interface Answer {
  status: number;
  cookie: string;
  json: Record<string, unknown> & { error?: { code: string } };
}

/** People behind a round robin: each call of a sign-in may meet another node. */
describe.skipIf(SKIPPED !== null)('signing in on several nodes (X-08, CF-13)', () => {
  let world: NodesWorld;
  let session: { cookie: string; csrf: string };
  beforeAll(async () => {
    world = await startNodes(2);
    const { cookie } = await call(0, 'login', { body: OWNER });
    const { json } = await call(1, 'csrf', { method: 'GET', cookie });
    session = { cookie, csrf: String(json.csrfToken) };
  });
  afterAll(() => world?.stop());

  const portOf = (node: number): number => world.gates[node]?.port ?? 0;
  /** By the name that passkeys need; browsers see one name, whichever node answers. */
  const site = (node: number) => ({ origin: `http://localhost:${portOf(node)}`, rpId: 'localhost' });

  function call(
    node: number,
    path: string,
    {
      method = 'POST',
      body,
      cookie,
      csrf,
    }: { method?: string; body?: unknown; cookie?: string; csrf?: string },
  ): Promise<Answer> {
    const headers = {
      host: `localhost:${portOf(node)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(cookie === undefined ? {} : { cookie }),
      ...(csrf === undefined ? {} : { 'x-csrf-token': csrf }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sent = request({
      host: '127.0.0.1',
      port: portOf(node),
      path: `/api/auth/${path}`,
      method,
      headers,
    });
    sent.on('error', reject).on('response', async (response) => {
      const text = (await response.toArray()).join('');
      resolve({
        status: response.statusCode ?? 0,
        cookie: response.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
        json: text === '' ? {} : JSON.parse(text),
      });
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  const challengeOf = ({ json }: Answer): string => (json.options as { challenge: string }).challenge;

  it('a passkey is offered by one node and added on the other, asked for by one and proven to the other', async () => {
    const passkey = new SoftPasskey();
    const offer = await call(0, 'passkeys/offer', { ...session, body: { password: OWNER.password } });
    const credential = passkey.create({ ...site(1), challenge: challengeOf(offer) });
    const added = await call(1, 'passkeys', { ...session, body: { name: 'phone', credential } });
    expect(added.status).toBe(201);
    for (const [asked, proven] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const challenge = challengeOf(await call(asked, 'passkey/ask', { body: {} }));
      const proof = passkey.prove({ ...site(proven), challenge });
      const entered = await call(proven, 'passkey/sign-in', { body: { credential: proof } });
      expect([entered.status, entered.json.stage]).toEqual([200, 'full']);
      // What was answered once is not taken again, neither there nor on the node that asked.
      const again = passkey.prove({ ...site(asked), challenge });
      const replayed = await call(asked, 'passkey/sign-in', { body: { credential: again } });
      expect([replayed.status, replayed.json.error?.code]).toEqual([401, 'passkey_invalid']);
      expect((await call(proven, 'passkey/sign-in', { body: { credential: proof } })).status).toBe(401);
    }
  });

  it('the second step may meet another node than the first', async () => {
    const passkey = new SoftPasskey();
    const offer = await call(1, 'passkeys/offer', { ...session, body: { password: OWNER.password } });
    const credential = passkey.create({ ...site(0), challenge: challengeOf(offer) });
    expect((await call(0, 'passkeys', { ...session, body: { name: 'key', credential } })).status).toBe(201);
    const first = await call(0, 'login', { body: OWNER });
    expect(first.json.owed).toContain('passkey');
    const half = {
      cookie: first.cookie,
      csrf: String((await call(1, 'csrf', { method: 'GET', cookie: first.cookie })).json.csrfToken),
    };
    const challenge = challengeOf(await call(1, 'passkey/ask', { ...half, body: {} }));
    const proof = passkey.prove({ ...site(0), challenge });
    expect((await call(0, 'passkey/sign-in', { ...half, body: { credential: proof } })).status).toBe(200);
  });

  it('credentials sealed anew on one node open on the other, while it runs and when it seals itself', async () => {
    expect((await world.messages(1, MESSAGES_BODY).answer).status).toBe(200);
    const before = await world.gates[1]?.admin<{ dataKeys: { id: string }[] }>('GET', '/api/vault');
    const { keyId } =
      (await world.gates[0]?.admin<{ keyId: string }>('POST', '/api/vault/rotate-data-key')) ?? {};
    expect(before?.dataKeys.map(({ id }) => id)).not.toContain(keyId);
    const active = async () => {
      const view = await world.gates[1]?.admin<{ dataKeys: { id: string; active: boolean }[] }>(
        'GET',
        '/api/vault',
      );
      return view?.dataKeys.find((key) => key.active)?.id;
    };
    await eventually('the other node seals with the new key', async () => (await active()) === keyId);
    // An account that is changed is opened anew from the store.
    const [account] = world.gates[0]?.accounts ?? [];
    await world.gates[1]?.admin('PATCH', `/api/accounts/${account?.id}`, { priority: 3 });
    for (const node of [0, 1]) expect((await world.messages(node, MESSAGES_BODY).answer).status).toBe(200);
  });
});
