import type { RateAsk, RateLimit, TokenAmounts } from '@tallygate/server/limits/rate-limit';
import type { RateLease, RateState } from '@tallygate/server/limits/rate-state';
import type { RequestSubject } from '@tallygate/server/limits/scope';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';

/** Where counts are kept, as several processes see it; one that shares nothing with others gives itself twice. */
export interface RateBench {
  name: string;
  skipped: boolean;
  start(
    limits: readonly RateLimit[],
  ): Promise<{ states: readonly RateState[]; nowMs(): number; stop(): Promise<void> }>;
}

export const rateLimit = (id: string, change: Partial<RateLimit> = {}): RateLimit => ({
  id,
  workspaceId: 'w',
  name: id,
  scope: [],
  per: 'all',
  measure: 'requests',
  limit: 3,
  windowMs: 3_600_000,
  burst: null,
  ...change,
});

const subject: RequestSubject = {
  workspaceId: 'w',
  keyId: 'k',
  userId: 'ada',
  projectId: 'p',
  sessionId: 's',
  model: 'claude-sonnet-4-5',
  provider: 'anthropic',
  accountId: 'a',
  tags: [],
};

/** What every place where counts are kept has to do (CF-13, TW-19). */
export function rateConformance(bench: RateBench): void {
  describe.skipIf(bench.skipped)(bench.name, { timeout: 60_000 }, () => {
    let world: Awaited<ReturnType<RateBench['start']>> | null = null;
    let turn = 0;
    afterEach(async () => {
      await world?.stop();
      world = null;
    });
    const start = async (...limits: RateLimit[]): Promise<void> => {
      world = await bench.start(limits);
    };
    /** Each request goes to the next process. */
    const state = (): RateState => {
      const { states = [] } = world ?? {};
      const next = states[turn++ % states.length];
      if (next === undefined) throw new Error('not started');
      return next;
    };
    const asking = (of: Partial<RequestSubject> = {}, change: Partial<RateAsk> = {}): RateAsk => ({
      subject: { ...subject, ...of },
      address: () => '192.0.2.1',
      ...{ stream: false, requests: 1, nowMs: world?.nowMs() ?? 0 },
      ...change,
    });
    const admit = async (ask: RateAsk = asking(), tokens: TokenAmounts = { input: 0, output: 0 }) =>
      state().admit(ask, () => tokens);
    const lease = async (...args: Parameters<typeof admit>): Promise<RateLease> => {
      const decision = await admit(...args);
      if (decision === null || !('lease' in decision)) throw new Error('not admitted');
      return decision.lease;
    };
    const refusal = async (...args: Parameters<typeof admit>) => {
      const decision = await admit(...args);
      return decision !== null && 'refusal' in decision ? decision.refusal : null;
    };
    const counts = async (id: string): Promise<[string, number, number][]> => {
      const { fullest } = await state().standings(id, world?.nowMs() ?? 0, 9);
      return fullest
        .map(({ partition, used, held }): [string, number, number] => [partition, used, held])
        .sort();
    };
    const becomes = (id: string, expected: [string, number, number][]) =>
      eventually(`${id} is ${JSON.stringify(expected)}`, async () => {
        const found = await counts(id);
        return JSON.stringify(found) === JSON.stringify(expected) ? true : null;
      });
    const now = (): number => world?.nowMs() ?? 0;

    it('lets the limit through and no more, whoever asks, and says when to come again', async () => {
      await start(rateLimit('l', { per: 'key' }));
      for (let i = 0; i < 3; i += 1) await lease();
      const refused = await refusal();
      expect(refused?.limit.id).toBe('l');
      expect(refused?.retryAfterMs).toBeGreaterThan(3_500_000);
      expect(refused?.standings.map(({ used, left }) => [used, left])).toEqual([[3, 0]]);
      await lease(asking({ keyId: 'other' }));
      expect(await counts('l')).toEqual([
        ['k', 3, 0],
        ['other', 1, 0],
      ]);
      expect(await admit(asking({ keyId: null }))).toBeNull();
    });

    it('admits exactly the limit of many that come at once', async () => {
      await start(rateLimit('l', { limit: 20 }), rateLimit('c', { ...atOnce, limit: 100 }));
      const decisions = await Promise.all(Array.from({ length: 200 }, () => admit()));
      expect(decisions.filter((decision) => decision !== null && 'lease' in decision)).toHaveLength(20);
      expect(await counts('c')).toEqual([['', 20, 20]]);
    });

    it('what left the window makes room', async () => {
      await start(rateLimit('l', { limit: 1, windowMs: 400 }));
      await lease();
      expect(await refusal()).not.toBeNull();
      await eventually('there is room again', async () => ((await refusal()) === null ? true : null));
    });

    it('one that another limit refuses counts nowhere; 0 refuses all; a refund is as if it never was', async () => {
      await start(rateLimit('wide', { limit: 5, burst: 2 }), rateLimit('narrow', { limit: 1 }));
      const first = await lease();
      expect((await refusal())?.limit.id).toBe('narrow');
      first.refund(now());
      first.refund(now());
      await becomes('wide', []);
      await lease();
      await world?.stop();
      await start(rateLimit('l', { limit: 0 }));
      expect((await refusal())?.retryAfterMs).toBeNull();
    });

    it('a burst lets so many come at once, and no more', async () => {
      await start(rateLimit('l', { limit: 60, burst: 2 }));
      await lease();
      await lease();
      const waitMs = (await refusal())?.retryAfterMs ?? 0;
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(60_000);
    });

    it('tokens are kept back and become what they came to, once', async () => {
      await start(
        rateLimit('t', { measure: 'tokens', limit: 100 }),
        rateLimit('o', { measure: 'output_tokens', limit: 100 }),
      );
      const first = await lease(asking(), { input: 40, output: 50 });
      expect(await counts('t')).toEqual([['', 90, 90]]);
      expect((await refusal(asking(), { input: 11, output: 0 }))?.needed).toBe(11);
      first.settle(now(), { input: 10, output: 5 });
      first.settle(now(), { input: 99, output: 99 });
      first.end(now());
      await becomes('t', [['', 15, 0]]);
      await becomes('o', [['', 5, 0]]);
      const cut = await lease(asking(), { input: 20, output: 10 });
      cut.settle(now(), { input: 3, output: 0 }, { atLeastHeld: true });
      await becomes('t', [['', 45, 0]]);
      const large = await lease(asking({ workspaceId: 'w' }), { input: 1, output: 0 });
      large.end(now());
      await becomes('t', [['', 45, 0]]);
    });

    it('a slot is free when its request ends, once, whoever admitted it', async () => {
      await start(rateLimit('c', { ...atOnce, limit: 2 }));
      const [first, second] = [await lease(), await lease()];
      expect((await refusal())?.retryAfterMs).toBe(1_000);
      first.end(now());
      first.end(now());
      await becomes('c', [['', 1, 1]]);
      await lease();
      second.refund(now());
      await becomes('c', [['', 1, 1]]);
    });

    it('asks again for another account, and can go back', async () => {
      await start(
        rateLimit('slots', { ...atOnce, limit: 1, per: 'account' }),
        rateLimit('calls', { limit: 5, per: 'account' }),
      );
      const mover = state();
      const decision = await mover.admit(asking(), () => ({ input: 0, output: 0 }));
      if (decision === null || !('lease' in decision)) throw new Error('not admitted');
      const to = asking({ accountId: 'b' });
      const undo = await mover.move(decision.lease, to, () => ({ input: 0, output: 0 }));
      await becomes('slots', [['b', 1, 1]]);
      expect(await counts('calls')).toEqual([
        ['a', 1, 0],
        ['b', 1, 0],
      ]);
      undo?.();
      await becomes('slots', [['a', 1, 1]]);
      await becomes('calls', [['a', 1, 0]]);
      await lease(to);
      expect(await mover.move(decision.lease, to, () => ({ input: 0, output: 0 }))).toBeNull();
      await becomes('slots', [
        ['a', 1, 1],
        ['b', 1, 1],
      ]);
      decision.lease.end(now());
      await becomes('slots', [['b', 1, 1]]);
    });
  });
}

const atOnce = { measure: 'concurrent_requests', windowMs: null } as const;
