import { ManualTimers } from '@tallygate/testkit/manual-timers';
import { expect, it } from 'vitest';
import { JudgingTimes } from './judging-times.ts';

function world(judgingMs = 0) {
  const time = new ManualTimers(0);
  const judged: number[] = [];
  const judge = (): void => {
    void times.measure(async () => {
      judged.push(time.ms);
      time.skip(judgingMs);
    });
  };
  const times = new JudgingTimes({ clock: time.clock(), after: time.after, judge });
  return { time, times, judged };
}

it('judges two seconds after a commit, many commits once (TW-16)', async () => {
  const { time, times, judged } = world();
  times.committed();
  await time.advance(1_000);
  times.committed();
  await time.advance(10_000);
  expect(judged).toEqual([2_000]);
});

it('judges at once when an account turns, what happens together once, and the commits before with it (TW-16)', async () => {
  const { time, times, judged } = world();
  times.committed();
  times.turned();
  times.turned();
  await time.advance(10_000);
  expect(judged).toEqual([250]);
});

it('an account that turns all the time is judged twice a second, and less often when judging takes long', async () => {
  const turning = async ({ time, times }: ReturnType<typeof world>): Promise<void> => {
    for (let i = 0; i < 100; i++) {
      times.turned();
      await time.advance(100);
    }
  };
  const quick = world();
  await turning(quick);
  expect(quick.judged.length).toBeGreaterThan(15);
  expect(quick.judged.length).toBeLessThanOrEqual(20);
  const slow = world(1_000);
  await turning(slow);
  expect(slow.judged.length).toBeGreaterThanOrEqual(2);
  expect(slow.judged.length).toBeLessThanOrEqual(4); // 1 s of judging, 5 s of rest
});

it('nothing is judged any more once it is stopped', async () => {
  const { time, times, judged } = world();
  times.turned();
  times.stop();
  await time.advance(10_000);
  expect([judged, time.waiting]).toEqual([[], 0]);
});
