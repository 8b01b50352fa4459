import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import {
  type PriceOverrideView,
  priceOverrideListResponse,
  priceOverrideRequest,
  priceOverrideResponse,
  priceQuoteRequest,
  priceQuoteResponse,
} from '@tallygate/contract/api/system';
import { z } from 'zod';
import { parseOverrideRates } from '../../accounting/price-override.ts';
import { AppError } from '../../kernel/errors.ts';
import type { PriceOverrideRow } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { assertForward, toIso, toMs } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { fromBucketRates, toBucketRates } from './override-rates.ts';

function view(row: PriceOverrideRow): PriceOverrideView {
  return {
    id: row.id,
    provider: row.provider,
    model: row.model,
    ...(row.validFromMs === null ? {} : { validFrom: toIso(row.validFromMs) }),
    ...(row.validToMs === null ? {} : { validTo: toIso(row.validToMs) }),
    usdPerMillion: fromBucketRates(row.ratesPicoUsd),
    ...(row.note === null ? {} : { note: row.note }),
    createdAt: toIso(row.createdAtMs),
  };
}

function newOverride(deps: AdminDeps, body: z.output<typeof priceOverrideRequest>): PriceOverrideRow {
  const validFromMs = body.validFrom === undefined ? null : toMs(body.validFrom);
  const validToMs = body.validTo === undefined ? null : toMs(body.validTo);
  if (validFromMs !== null && validToMs !== null) {
    assertForward(validFromMs, validToMs, { in: 'body', path: 'validTo' });
  }
  const ratesPicoUsd = toBucketRates(body.usdPerMillion);
  parseOverrideRates(ratesPicoUsd); // the price book must be able to compile whatever is stored
  return {
    id: deps.newId(),
    provider: body.provider,
    model: body.model,
    validFromMs,
    validToMs,
    ratesPicoUsd,
    note: body.note ?? null,
    createdAtMs: deps.clock.now(),
  };
}

/** Prices: what an answer would cost, and the operator's own cards. */
export function priceRoutes(deps: AdminDeps): AdminRoute[] {
  const { config } = deps.store;
  const guarded = { access: 'permitted', permission: 'prices.manage' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/prices/quote',
      summary: "What a provider's answer costs, line by line; nothing is stored",
      audit: 'none',
      body: priceQuoteRequest,
      response: priceQuoteResponse,
      handler: async ({ body }) => ({
        body: deps.quotePrice({
          provider: body.provider,
          model: body.model,
          atMs: body.at === undefined ? deps.clock.now() : toMs(body.at),
          answer: body.answer,
        }),
      }),
    }),
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/prices/overrides',
      summary: "The operator's own prices",
      response: priceOverrideListResponse,
      handler: async () => ({ body: { overrides: (await config.listPriceOverrides()).map(view) } }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/prices/overrides',
      summary: 'Set a price for a model; it counts for requests from now on',
      status: 201,
      body: priceOverrideRequest,
      response: priceOverrideResponse,
      async handler({ body, audit }) {
        const row = newOverride(deps, body);
        audit.changed('price_override', row.id, { after: row });
        await config.insertPriceOverride(row);
        await deps.refreshSnapshot();
        return { body: view(row) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/prices/overrides/:id',
      summary: 'Remove a price of your own; past requests keep theirs',
      params: z.object({ id: idSchema }),
      response: emptySchema,
      async handler({ params, audit }) {
        const before = (await config.listPriceOverrides()).find((override) => override.id === params.id);
        if (before) audit.changed('price_override', params.id, { before });
        if (!(await config.deletePriceOverride(params.id))) throw new AppError('resource_not_found');
        await deps.refreshSnapshot();
        return { body: {} };
      },
    }),
  ];
}
