import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { picoPerToken, usdPerMillion } from './override-rates.ts';

let world: AdminWorld;
let asked: unknown[];
beforeEach(async () => {
  asked = [];
  world = await startAdminWorld(await openTestStore(), {
    quotePrice: (input) => {
      asked.push(input);
      if (input.provider === 'nobody') throw new AppError('invalid_request', { detail: 'unknown provider' });
      return { costUsd: null, priceStatus: 'unpriced', card: null, lines: [] };
    },
  });
});
afterEach(() => world.close());

const post = (path: string, body: unknown) => world.call(path, { local: true, method: 'POST', body });

describe('POST /api/prices/quote', () => {
  it('200 passes the instant, or now', async () => {
    const answer = { usage: { input_tokens: 1 } };
    expect(
      (await post('/api/prices/quote', { provider: 'anthropic', model: 'm', answer })).json,
    ).toMatchObject({ costUsd: null, priceStatus: 'unpriced' });
    await post('/api/prices/quote', {
      provider: 'anthropic',
      model: 'm',
      answer,
      at: '2026-01-01T00:00:00+02:00',
    });
    expect(asked).toEqual([
      { provider: 'anthropic', model: 'm', atMs: world.clock.ms, answer },
      { provider: 'anthropic', model: 'm', atMs: Date.UTC(2025, 11, 31, 22), answer },
    ]);
  });

  it('400 for an unknown provider or a bad instant', async () => {
    expect((await post('/api/prices/quote', { provider: 'nobody', model: 'm', answer: {} })).status).toBe(
      400,
    );
    expect(
      (await post('/api/prices/quote', { provider: 'a', model: 'm', at: 'now', answer: {} })).status,
    ).toBe(400);
  });
});

describe('price overrides (X-03)', () => {
  const body = {
    provider: 'anthropic',
    model: 'my-model',
    usdPerMillion: { input: '3', output: '15.000001', cacheRead: '0' },
    note: 'contract 7',
  };

  it('201 stores exact pico-dollars per token; GET gives back what was asked for; DELETE 200, then 404', async () => {
    const made = await post('/api/prices/overrides', { ...body, validFrom: '2026-01-01T00:00:00Z' });
    expect(made.status).toBe(201);
    const [row] = await world.deps.store.config.listPriceOverrides();
    expect(row).toMatchObject({
      ratesPicoUsd: { inputUncached: '3000000', outputVisible: '15000001', cacheRead: '0' },
      validFromMs: Date.UTC(2026, 0, 1),
      validToMs: null,
    });
    const listed = (await world.call('/api/prices/overrides', { local: true })).json.overrides;
    expect(listed).toEqual([
      {
        ...body,
        id: made.json.id,
        createdAt: '2026-11-22T12:00:00.000Z',
        validFrom: '2026-01-01T00:00:00.000Z',
      },
    ]);
    const remove = () =>
      world.call(`/api/prices/overrides/${made.json.id}`, { local: true, method: 'DELETE' });
    expect((await remove()).status).toBe(200);
    expect((await remove()).status).toBe(404);
    expect(world.refreshes()).toBe(2);
  });

  it.each([
    [{ usdPerMillion: { input: '-1', output: '1' } }],
    [{ usdPerMillion: { input: '1e3', output: '1' } }],
    [{ usdPerMillion: { input: '1.0000001', output: '1' } }],
    [{ usdPerMillion: { input: 1, output: 1 } }],
    [{ usdPerMillion: { input: '1' } }],
    [{ usdPerMillion: { input: '1', output: '1', imagined: '1' } }],
    [{ usdPerMillion: { input: '999999999999', output: '1' } }],
    [{ validFrom: '2026-02-01T00:00:00Z', validTo: '2026-01-01T00:00:00Z' }],
    [{ model: '' }],
  ])('400 for %j, and nothing is stored', async (part) => {
    expect((await post('/api/prices/overrides', { ...body, ...part })).status).toBe(400);
    expect(await world.deps.store.config.listPriceOverrides()).toEqual([]);
  });

  it('converts every rate there and back without rounding', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), (pico) => {
        expect(picoPerToken(usdPerMillion(pico.toString()))).toBe(pico.toString());
      }),
    );
    expect([picoPerToken('0'), picoPerToken('0.000001'), picoPerToken('007.50')]).toEqual([
      '0',
      '1',
      '7500000',
    ]);
  });
});
