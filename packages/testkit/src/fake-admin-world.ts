import type { AccountView } from '@tallygate/contract/api/accounts';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import { NO_RESTRICTIONS } from '@tallygate/contract/api/key-restrictions';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import type { LimitView } from '@tallygate/contract/api/limits';
import type { PoolView } from '@tallygate/contract/api/pool';
import { fakeAlerts } from './fake-admin-alert-data.ts';
import { fakeBudgets, fakeLimits } from './fake-admin-money.ts';
import { fakePools } from './fake-admin-pool-data.ts';
import {
  FAKE_KEYS,
  FAKE_PROJECTS,
  type FakeRequest,
  fakeRequest,
  fakeTraffic,
  seededRandom,
} from './fake-admin-traffic.ts';

export type FakeScenario = 'normal' | 'empty' | 'slow' | 'error' | 'large' | 'setup';

/** The state behind the stand-in: what was sent, and who may. */
export function createFakeWorld(scenario: FakeScenario, requests = 12_000) {
  const now = () => Date.now();
  const random = seededRandom(7);
  const made = new Map<number, FakeRequest[]>();
  /** Made once: telling the same story again to every test would take longer than the tests. */
  const traffic = (of: FakeScenario): FakeRequest[] => {
    const count = of === 'large' ? 100_000 : requests;
    const items = made.get(count) ?? fakeTraffic(count, now(), of === 'large' ? 1 : 62);
    made.set(count, items);
    return items;
  };
  const listeners = new Set<(item: FakeRequest) => void>();
  const world = {
    listeners,
    now,
    journal: 'ok' as 'ok' | 'degraded' | 'full',
    warnings: [] as { code: string; message: string }[],
    scenario,
    needsSetup: false,
    paused: null as { since: string; reason: string | null; by: string } | null,
    sessions: new Set<string>(['fake']),
    ids: 100,
    /** What is signing in with OAuth: id of an account, or the name of a new one. */
    signIn: '',
    items: [] as FakeRequest[],
    alerts: fakeAlerts(true),
    places: fakePools(),
    keys: [] as ApiKeyView[],
    accounts: [] as AccountView[],
    budgets: [] as BudgetView[],
    limits: [] as LimitView[],
    pool: { strategy: 'session', chosen: false } as PoolView,
    projects: [] as {
      id: string;
      slug: string;
      name: string;
      environment: 'production' | 'staging' | 'development' | 'test';
      disconnectPolicy: 'abort' | 'drain';
      createdAt: string;
    }[],
    add(): FakeRequest {
      const item = fakeRequest((this.items.at(-1)?.seq ?? 0) + 1, now() - 900, random);
      this.items.push(item);
      for (const listener of listeners) listener(item);
      return item;
    },
    use(scenario: FakeScenario): void {
      this.scenario = scenario;
      this.places = fakePools();
      this.needsSetup = scenario === 'setup';
      const empty = scenario === 'empty' || scenario === 'setup';
      this.alerts = fakeAlerts(empty);
      this.items = empty ? [] : [...traffic(scenario)];
      this.projects = (empty ? FAKE_PROJECTS.slice(-1) : FAKE_PROJECTS).map((p) => ({
        ...p,
        name: p.slug,
        environment: 'production' as const,
        disconnectPolicy: 'abort' as const,
        createdAt: ago(60),
      }));
      this.keys = empty
        ? []
        : FAKE_KEYS.map((key, i) => ({
            ...key,
            prefix: `tg_${'k7Rm2QxZ9v'.slice(i, i + 4)}`,
            scopes: i === 3 ? ['gateway', 'read'] : ['gateway'],
            project: FAKE_PROJECTS[i] ?? { id: 'p', slug: 'default' },
            createdAt: ago(60 - i * 9),
            expiresAt: i === 4 ? ago(-12) : null,
            revokedAt: null,
            lastUsedAt: i === 4 ? null : ago(i / 24),
            kind: 'issued',
            restrictions: NO_RESTRICTIONS,
            rotatedAt: null,
            previous: null,
            user: null,
          }));
      this.budgets = empty ? [] : fakeBudgets(now());
      this.limits = empty ? [] : fakeLimits(now());
      this.accounts = empty
        ? []
        : [
            fakeAccount('acc_anthropic', 'Anthropic production', 'anthropic', {
              baseUrl: 'https://api.anthropic.com',
              credentialHint: 'x4Qz',
              priority: 10,
              weight: 1,
              condition: 'warned',
              limits: [{ model: 'opus', reason: 'seven_day_opus', until: ago(-3) }],
              windows: [fakeWindow('7d', 0.61, -4), fakeWindow('5h', 0.87, -0.1)],
            }),
            fakeAccount('acc_openai', 'OpenAI', 'openai', {
              baseUrl: 'https://api.openai.com',
              credentialHint: '9fKe',
            }),
            fakeAccount('acc_ollama', 'Workshop GPU', 'compatible', {
              preset: 'ollama',
              baseUrl: 'http://127.0.0.1:11434',
              allowPrivateUpstream: true,
              models: ['qwen3:*', 'llama3*'],
              paused: true,
              condition: 'paused',
            }),
          ];
    },
  };
  world.use(scenario);
  return world;
}
export type FakeWorld = ReturnType<typeof createFakeWorld>;
/** An instant so many days before now. */
export const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
/** An account with everything usual filled in. */
function fakeWindow(name: string, utilization: number, resetDays: number): AccountView['windows'][number] {
  const figures = { utilization, limit: null, remaining: null, status: 'allowed' };
  const forecast = { utilizationAtReset: utilization * 1.3, exhaustedAt: null };
  return { name, ...figures, resetAt: ago(resetDays), observedAt: ago(0), forecast };
}

/** Who an account is bound to, from `project:ID` or `key:ID`, by name. */
export function boundView(world: FakeWorld, text: string): AccountView['boundTo'][number] {
  const [kind, id = ''] = text.split(':');
  const all: readonly { id: string; name: string }[] = kind === 'key' ? world.keys : world.projects;
  const name = all.find((one) => one.id === id)?.name ?? id;
  return { kind: kind === 'key' ? 'key' : 'project', id, name };
}

export function fakeAccount(
  id: string,
  name: string,
  provider: string,
  rest: Partial<AccountView>,
): AccountView {
  return {
    id,
    name,
    provider,
    preset: null,
    baseUrl: '',
    credentialHint: null,
    allowPrivateUpstream: false,
    pinSha256: [],
    models: [],
    priority: 100,
    weight: 1,
    tier: 1,
    notes: null,
    boundTo: [],
    pools: [],
    paused: false,
    condition: 'ready',
    oauth: null,
    limits: [],
    windows: [],
    createdAt: ago(60),
    lastUsedAt: ago(0.001),
    ...rest,
  };
}
