import { describe, expect, it } from 'vitest';
import type { WindowUse } from './rate-limit-headers.ts';
import { addSample, forecastWindow, type WindowSamples } from './window-forecast.ts';

const HOUR = 3_600_000;
const START = 1_800_000_000_000;
const window = (utilization: number | null, hoursIn: number, name = '5h', length = 5): WindowUse => ({
  name,
  utilization,
  limit: null,
  remaining: null,
  resetAtMs: START + length * HOUR,
  status: null,
  observedAtMs: START + hoursIn * HOUR,
});
const at = (hoursIn: number) => START + hoursIn * HOUR;

describe('forecast of a window (NX-12)', () => {
  it('goes by the average while nothing else is known', () => {
    const forecast = forecastWindow(window(0.4, 2), undefined, at(2));
    expect(forecast?.utilizationAtReset).toBeCloseTo(1, 5);
    expect(forecastWindow(window(0.5, 2), undefined, at(2))?.exhaustedAtMs).toBe(at(4));
    expect(forecastWindow(window(0.3, 2), undefined, at(2))?.exhaustedAtMs).toBeNull();
  });

  it('goes by the last hour once it is known, and not by what was before', () => {
    let samples: WindowSamples | undefined;
    for (let i = 0; i <= 12; i++) samples = addSample(samples, window(0.6, 2 + i / 12));
    const idle = forecastWindow(window(0.6, 3), samples, at(3));
    expect(idle).toEqual({ utilizationAtReset: 0.6, exhaustedAtMs: null });
    for (let i = 1; i <= 12; i++) samples = addSample(samples, window(0.6 + i / 60, 3 + i / 12));
    const busy = forecastWindow(window(0.8, 4), samples, at(4));
    expect(busy?.utilizationAtReset).toBeCloseTo(1, 2);
  });

  it('says nothing of what it cannot know', () => {
    expect(forecastWindow(window(null, 2), undefined, at(2))).toBeNull();
    expect(forecastWindow(window(0.4, 2, 'requests'), undefined, at(2))).toBeNull();
    expect(forecastWindow(window(0.4, 0.01), undefined, at(0.01))).toBeNull();
    expect(forecastWindow(window(0.4, 2), undefined, at(6))).toBeNull();
  });

  it('an exhausted window is exhausted now', () => {
    expect(forecastWindow(window(1.02, 2), undefined, at(2))?.exhaustedAtMs).toBe(at(2));
  });

  it('keeps few samples, and forgets them when the window starts anew', () => {
    let samples: WindowSamples | undefined;
    for (let i = 0; i < 5_000; i++) samples = addSample(samples, window(0.5, i / 1_000));
    expect(samples?.samples.length).toBeLessThanOrEqual(13);
    const next = { ...window(0.01, 0), resetAtMs: START + 10 * HOUR };
    expect(addSample(samples, next)?.samples).toHaveLength(1);
  });
});
