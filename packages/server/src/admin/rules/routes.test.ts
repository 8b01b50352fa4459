import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const call = (method: string, path: string, body?: unknown) =>
  world.call(path, { local: true, method, ...(body === undefined ? {} : { body }) });
const add = (part: object) =>
  call('POST', '/api/rules', { name: 'r', conditions: {}, actions: { model: 'm' }, ...part });
const names = async () =>
  ((await call('GET', '/api/rules')).json.rules as { name: string }[]).map(({ name }) => name);

describe('rules (CF-09)', () => {
  it('201 adds one at the end; 200 changes, re-orders and removes; each reaches the data plane', async () => {
    for (const name of ['a', 'b', 'c']) expect((await add({ name })).status).toBe(201);
    const rules = (await call('GET', '/api/rules')).json.rules as { id: string }[];
    const [a, b, c] = rules.map(({ id }) => id);
    const before = world.refreshes();
    await call('POST', '/api/rules/order', { ids: [c, a] });
    expect(await names()).toEqual(['c', 'a', 'b']);
    const changed = await call('PATCH', `/api/rules/${b}`, { enabled: false, actions: { deny: 'no' } });
    expect(changed.json).toMatchObject({
      name: 'b',
      enabled: false,
      actions: { deny: 'no' },
      conditions: {},
    });
    expect((await call('DELETE', `/api/rules/${a}`)).status).toBe(200);
    expect(await names()).toEqual(['c', 'b']);
    expect(world.refreshes()).toBe(before + 3);
    expect((await call('PATCH', `/api/rules/${a}`, { enabled: true })).status).toBe(404);
    expect((await add({ name: 'b' })).status).toBe(409);
  });

  it('header names are kept in lower case', async () => {
    const made = await add({ conditions: { headers: [{ name: 'X-Team', pattern: '*' }] } });
    expect(made.json).toMatchObject({ conditions: { headers: [{ name: 'x-team', pattern: '*' }] } });
  });

  it.each<[string, object]>([
    ['actions', { actions: {} }],
    ['actions.deny', { actions: { deny: 'no', model: 'm' } }],
    ['actions.pool', { actions: { pool: 'nobody' } }],
    ['actions.fallbacks', { actions: { model: 'm', fallbacks: [{}] } }],
    ['actions.fallbacks', { actions: { fallbacks: [{ pool: 'nobody' }] } }],
    ['actions.fallbacks', { actions: { ownKey: true, fallbacks: [{ model: 'm' }] } }],
    ['actions', { actions: { setHeaders: [{ name: 'Authorization', value: 'x' }] } }],
    ['actions', { actions: { removeHeaders: ['content-length'] } }],
    ['actions', { actions: { setHeaders: [{ name: 'x-tallygate-tags', value: 'x' }] } }],
    ['actions.setHeaders.0.value', { actions: { setHeaders: [{ name: 'x', value: 'a\r\nb: c' }] } }],
    ['actions.setHeaders.0.name', { actions: { setHeaders: [{ name: 'x y', value: '' }] } }],
    ['conditions.keys', { conditions: { keys: ['nobody'] } }],
    ['conditions.projects', { conditions: { projects: ['nobody'] } }],
    ['conditions.headers', { conditions: { headers: [{ name: 'x-api-key', pattern: '*' }] } }],
    ['conditions.maxTokens', { conditions: { minTokens: 2, maxTokens: 1 } }],
    ['conditions.time.timeZone', { conditions: { time: { from: '01:00', to: '02:00', timeZone: 'Mars' } } }],
    ['conditions.time.from', { conditions: { time: { from: '25:00', to: '02:00', timeZone: 'UTC' } } }],
    ['conditions.team', { conditions: { team: 'x' } }],
  ])('400 naming %s for %j', async (path, part) => {
    const answer = await add(part);
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, path]);
    expect(await names()).toEqual([]);
  });
});
