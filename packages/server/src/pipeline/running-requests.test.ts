import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import type { Call } from './call.ts';
import type { SentExchange } from './exchange-deps.ts';
import { PAUSED } from './outcome.ts';
import { RunningRequests } from './running-requests.ts';

function exchangeOf(running: RunningRequests, call: Partial<Call> = {}) {
  const exchange = {
    slot: -1,
    call: { startedAtMs: 0, ...call } as Call,
    failed: vi.fn(),
    interrupt: vi.fn(() => running.remove(exchange)),
    refuse: vi.fn(() => running.remove(exchange)),
    onRequestQueued() {},
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd() {},
    onResponseError() {},
  } satisfies SentExchange;
  return exchange;
}

/** Whether a promise is settled once everything that was due has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('stopping with requests on their way (CF-17)', () => {
  it('is done at once when there are none', async () => {
    const running = new RunningRequests();
    expect(running.stopping).toBe(false);
    expect(await running.stop(60_000)).toEqual({ interrupted: 0 });
    expect(running.stopping).toBe(true);
  });

  it('waits for one that the journal is just opening, and then for its answer', async () => {
    const running = new RunningRequests();
    running.opening();
    const stopped = running.stop(60_000);
    expect(await settled(stopped)).toBe(false);
    const exchange = exchangeOf(running);
    running.add(exchange);
    running.opened();
    expect(await settled(stopped)).toBe(false);
    running.remove(exchange);
    expect(await stopped).toEqual({ interrupted: 0 });
    expect(exchange.interrupt).not.toHaveBeenCalled();
  });

  it('is done when the one that was being opened came to nothing', async () => {
    const running = new RunningRequests();
    running.opening();
    const stopped = running.stop(60_000);
    expect(await settled(stopped)).toBe(false);
    running.opened();
    expect(await stopped).toEqual({ interrupted: 0 });
  });

  it('interrupts what outlives the bound, and says so to what is dispatched after it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const running = new RunningRequests();
      const exchange = exchangeOf(running);
      running.add(exchange);
      running.opening();
      const stopped = running.stop(1_000);
      vi.advanceTimersByTime(999);
      expect([running.interrupting, exchange.interrupt.mock.calls.length]).toEqual([false, 0]);
      await vi.advanceTimersByTimeAsync(1);
      expect([running.interrupting, exchange.interrupt.mock.calls.length]).toEqual([true, 1]);
      expect(await settled(stopped)).toBe(false);
      running.opened();
      expect(await stopped).toEqual({ interrupted: 1 });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('ending some of what runs', () => {
  it('refuses those it is asked for and leaves the others', () => {
    const running = new RunningRequests();
    const [old, young] = [{ startedAtMs: 1 }, { startedAtMs: 5 }].map((call) => exchangeOf(running, call));
    if (old === undefined || young === undefined) throw new Error('two exchanges');
    for (const exchange of [old, young]) running.add(exchange);
    expect([running.size, running.startedBefore(5), running.startedBefore(1)]).toEqual([2, true, false]);
    const error = new AppError('traffic_paused');
    expect(
      running.refuse(
        ({ startedAtMs }) => startedAtMs < 5,
        () => error,
        PAUSED,
      ),
    ).toBe(1);
    expect(old.refuse).toHaveBeenCalledExactlyOnceWith(error, PAUSED);
    expect(young.refuse).not.toHaveBeenCalled();
    expect([running.size, running.startedBefore(5)]).toEqual([1, false]);
  });
});
