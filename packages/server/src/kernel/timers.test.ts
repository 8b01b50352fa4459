import { describe, expect, it } from 'vitest';
import { systemTimers } from './timers.ts';

describe('the time of the machine', () => {
  it('runs what is due, and calls off what is not wanted', async () => {
    const ran: string[] = [];
    const startedAtMs = systemTimers.monotonicMs();
    await new Promise<void>((done) => {
      systemTimers.after(1, () => ran.push('called off'))();
      systemTimers.after(5, () => {
        ran.push('due');
        done();
      });
      setTimeout(() => undefined, 50); // what is waited for here does not keep the process alive
    });
    expect(ran).toEqual(['due']);
    expect(systemTimers.monotonicMs()).toBeGreaterThan(startedAtMs);
  });
});
