import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import { createDataRoutes } from '@tallygate/server/http/data-routes';
import { ADAPTERS } from '@tallygate/server/wire/adapters';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Rows that need a header of their dialect are walked under its prefix. */
const ROWS = createDataRoutes(ADAPTERS).rows.filter(
  ({ needsDialectHeader, prefix }) => needsDialectHeader !== true || prefix !== '',
);
/** The row of a path decides by method and path alone here: no header of a dialect is sent. */
const pathOf = (clientPath: string): string => clientPath.replace('{model}', 'some-model');

let upstream: FakeUpstream;
let gate: Gate;
const keys = new Map<KeyScope, string>();
let revoked: string;
beforeAll(async () => {
  upstream = await startFakeUpstream(anthropicApi());
  gate = await startGate({ accounts: [{ provider: 'anthropic', baseUrl: upstream.url }] });
  for (const scope of KEY_SCOPES) keys.set(scope, (await gate.addKey({ scopes: [scope] })).key);
  const gone = await gate.addKey();
  await gate.revokeKey(gone.id);
  revoked = gone.key;
});
afterAll(async () => {
  await gate?.stop();
  await upstream?.stop();
});

async function ask(row: (typeof ROWS)[number], headers: Record<string, string>): Promise<number> {
  const response = await fetch(`${gate.url}${pathOf(row.clientPath)}`, {
    method: row.method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(row.method === 'POST' ? { body: '{"model":"no-such-model","messages":[]}' } : {}),
  });
  await response.arrayBuffer();
  return response.status;
}
const name = (row: (typeof ROWS)[number]): string => `${row.method} ${row.clientPath}`;

describe('every row of the gate, cell by cell (WT-04, CF-13)', () => {
  it('lets in keys with the scope gateway and no others', async () => {
    const wrong: string[] = [];
    for (const row of ROWS) {
      for (const scope of KEY_SCOPES) {
        const status = await ask(row, { authorization: `Bearer ${keys.get(scope)}` });
        const admitted = status !== 401 && status !== 403;
        if (admitted !== (scope === 'gateway')) wrong.push(`${name(row)} with ${scope}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(ROWS.length * KEY_SCOPES.length).toBeGreaterThan(100);
  });

  it('401 without a key, and for one that is unknown, malformed, revoked or in a cookie', async () => {
    const before = upstream.requests.length;
    const bad: Record<string, string>[] = [
      {},
      { authorization: `Bearer tg_${'A'.repeat(43)}` },
      { 'x-api-key': 'sk-ant-anything' },
      { authorization: `Bearer ${revoked}` },
      { authorization: `Basic ${Buffer.from(`x:${keys.get('gateway')}`).toString('base64')}` },
      { cookie: `tallygate_session=${keys.get('gateway')}` },
    ];
    const wrong: string[] = [];
    for (const row of ROWS) {
      for (const headers of bad) {
        const status = await ask(row, headers);
        if (status !== 401) wrong.push(`${name(row)} with ${Object.keys(headers)}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(upstream.requests).toHaveLength(before);
  });

  it.each([
    'PUT /v1/messages',
    'DELETE /v1/models',
    'POST /v1/messages/batches',
    'POST /v1/messages/../files',
    'POST /v1/organizations/api_keys',
    'POST /v1//messages',
    'POST /v1/messages/',
    'POST /V1/MESSAGES',
    'POST /v1/messages%2f..%2ffiles',
    'GET /anthropic',
    'POST /anthropic/v1/organizations/api_keys',
  ])('%s is no row: nothing is sent upstream, whoever asks', async (line) => {
    const [method = '', path = ''] = line.split(' ');
    const before = upstream.requests.length;
    const response = await fetch(`${gate.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${keys.get('gateway')}`, 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{"model":"claude-opus-4-1","max_tokens":1,"messages":[]}' } : {}),
    });
    await response.arrayBuffer();
    expect([404, 405]).toContain(response.status);
    expect(upstream.requests).toHaveLength(before);
  });
});
