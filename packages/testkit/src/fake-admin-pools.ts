import { poolUpdateRequest } from '@tallygate/contract/api/pool';
import {
  type HealthView,
  type NamedPoolView,
  namedPoolUpdateRequest,
  poolCreateRequest,
} from '@tallygate/contract/api/pools';
import {
  type RuleTestView,
  ruleCreateRequest,
  ruleOrderRequest,
  ruleTestRequest,
  ruleUpdateRequest,
} from '@tallygate/contract/api/rules';
import { week } from './fake-admin-pool-data.ts';
import { type FakeHandler, found, parse } from './fake-admin-routes.ts';
import { ago, type FakeWorld } from './fake-admin-world.ts';

function hours(): HealthView['hours'] {
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  return Array.from({ length: 40 }, (_, i) => ({
    at: new Date(hour - (48 - i) * 3_600_000).toISOString(),
    ...week(20 + ((i * 37) % 90)),
  }));
}

function testRules(w: FakeWorld, body: unknown): RuleTestView {
  const asked = parse(ruleTestRequest, body);
  const { model = null } = asked.body as { model?: string };
  const first = w.places.rules.find((rule) => rule.enabled);
  return {
    facts: { model, user: null, estimatedTokens: 42, systemChars: 24 },
    rules: w.places.rules.map(({ id, name }) => ({
      ...{ id, name, applies: id === first?.id },
      reason:
        id === first?.id
          ? 'It holds that the model is claude-opus-*.'
          : 'It does not hold that it is 22:00 to 06:00.',
    })),
    rule: first === undefined ? null : { id: first.id, name: first.name },
    changes: first === undefined ? [] : [{ what: 'model', from: model, to: first.actions.model ?? null }],
  };
}

/** Pools, rules and the health of accounts; the first that matches `METHOD /path` answers. */
export const POOL_ROUTES: [RegExp, FakeHandler][] = [
  [/^GET \/api\/pool$/, (w) => w.pool],
  [
    /^PATCH \/api\/pool$/,
    (w, { body }) => {
      const { strategy } = parse(poolUpdateRequest, body);
      w.pool = { strategy: strategy ?? 'session', chosen: strategy !== null };
      return w.pool;
    },
  ],
  [/^GET \/api\/pools$/, (w) => ({ pools: w.places.pools, all: { ...w.pool, week: week(91_200) } })],
  [
    /^POST \/api\/pools$/,
    (w, { body }) => {
      const input = parse(poolCreateRequest, body);
      const accounts = input.accountIds.map((id) => ({ id, name: found(w.accounts, id).name }));
      const made: NamedPoolView = {
        ...{ id: `pool${w.ids++}`, name: input.name, strategy: input.strategy ?? 'session' },
        ...{ notes: input.notes ?? null, accounts, createdAt: ago(0), week: week(0) },
      };
      w.places.pools.push(made);
      return made;
    },
  ],
  [
    /^PATCH \/api\/pools\/(\w+)$/,
    (w, { body, params: [id] }) => {
      const { accountIds, ...rest } = parse(namedPoolUpdateRequest, body);
      const accounts = accountIds?.map((one) => ({ id: one, name: found(w.accounts, one).name }));
      return Object.assign(found(w.places.pools, id), rest, accounts === undefined ? {} : { accounts });
    },
  ],
  [
    /^DELETE \/api\/pools\/(\w+)$/,
    ({ places }, { params: [id] }) => {
      places.pools.splice(places.pools.indexOf(found(places.pools, id)), 1);
      return {};
    },
  ],
  [/^GET \/api\/rules$/, ({ places }) => ({ rules: places.rules })],
  [
    /^POST \/api\/rules$/,
    (w, { body }) => {
      const input = parse(ruleCreateRequest, body);
      const made = { id: `rule${w.ids++}`, enabled: true, createdAt: ago(0), ...input };
      w.places.rules.push(made);
      return made;
    },
  ],
  [/^POST \/api\/rules\/test$/, (w, { body }) => testRules(w, body)],
  [
    /^POST \/api\/rules\/order$/,
    ({ places }, { body }) => {
      const { ids } = parse(ruleOrderRequest, body);
      places.rules.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
      return { rules: places.rules };
    },
  ],
  [
    /^PATCH \/api\/rules\/(\w+)$/,
    ({ places }, { body, params: [id] }) =>
      Object.assign(found(places.rules, id), parse(ruleUpdateRequest, body)),
  ],
  [
    /^DELETE \/api\/rules\/(\w+)$/,
    ({ places }, { params: [id] }) => {
      places.rules.splice(places.rules.indexOf(found(places.rules, id)), 1);
      return {};
    },
  ],
  [/^GET \/api\/accounts\/([^/]+)\/health$/, () => ({ from: ago(3), to: ago(0), hours: hours() })],
  [/^POST \/api\/accounts\/([^/]+)\/reset$/, (w, { params: [id] }) => found(w.accounts, id)],
];
