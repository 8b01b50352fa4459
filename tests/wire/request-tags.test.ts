import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld({ keys: [{ scopes: ['gateway', 'read'] }] });
});
afterAll(() => world?.stop());
beforeEach(() => world.anthropic.clear());

async function listed(tag: string): Promise<string[]> {
  const url = `${world.gate.url}/api/requests?tag=${encodeURIComponent(tag)}`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${world.gate.key}` } });
  const { requests } = (await answer.json()) as { requests: { id: string }[] };
  return requests.map(({ id }) => id);
}

it('tags are on the row, can be searched, and stay here (TW-12)', async () => {
  const tagged = await world.messages(MESSAGES_BODY, {
    headers: [['X-Tallygate-Tags', 'nightly, team:search']],
  }).answer;
  const plain = await world.messages(MESSAGES_BODY).answer;
  const row = (await world.rowOf(tagged)).request;
  expect(row.tags).toEqual(['nightly', 'team:search']);
  expect((await world.rowOf(plain)).request.tags).toEqual([]);
  expect(await listed('team:search')).toEqual([row.id]);
  expect(await listed('other')).toEqual([]);
  for (const request of world.anthropic.requests) expect(request.value('x-tallygate-tags')).toBeUndefined();
});

it('tags that are too many are refused before anything goes upstream', async () => {
  const tags = Array.from({ length: 11 }, (_, i) => `t${i}`).join(',');
  const answer = await world.messages(MESSAGES_BODY, { headers: [['x-tallygate-tags', tags]] }).answer;
  expect(answer.status).toBe(400);
  expect(String(answer.body)).toContain('more than 10 tags');
  expect(world.anthropic.requests).toHaveLength(0);
});
