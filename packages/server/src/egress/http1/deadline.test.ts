import { ManualTimers } from '@tallygate/testkit/manual-timers';
import { beforeEach, describe, expect, it } from 'vitest';
import { Deadline } from './deadline.ts';

let time: ManualTimers;
let reached: number[];
let made: number;
let deadline: Deadline;
beforeEach(() => {
  time = new ManualTimers(0);
  reached = [];
  made = 0;
  const after = (ms: number, run: () => void): (() => void) => {
    made += 1;
    return time.after(ms, run);
  };
  deadline = new Deadline({ ...time.clock(), after }, () => reached.push(time.ms));
});

describe('a deadline', () => {
  it('is reached once, at its time', async () => {
    deadline.set(100);
    await time.advance(99);
    expect(reached).toEqual([]);
    await time.advance(1000);
    expect(reached).toEqual([100]);
  });

  it('that is put off is reached at the later time, and costs no timer each time', async () => {
    deadline.set(100);
    for (let i = 0; i < 9; i++) {
      await time.advance(10);
      deadline.set(100);
    }
    expect(made).toBe(1);
    await time.advance(1000);
    expect(reached).toEqual([190]);
    expect(made).toBe(2);
  });

  it('that is brought forward is reached at the earlier time', async () => {
    deadline.set(1000);
    deadline.set(100);
    await time.advance(2000);
    expect(reached).toEqual([100]);
    expect(time.waiting).toBe(0);
  });

  it('that was lifted is not reached, until another is set', async () => {
    deadline.set(100);
    deadline.clear();
    await time.advance(500);
    expect(reached).toEqual([]);
    deadline.set(100);
    await time.advance(500);
    expect(reached).toEqual([600]);
  });

  it('that was stopped leaves no timer', async () => {
    deadline.set(100);
    deadline.stop();
    expect(time.waiting).toBe(0);
    await time.advance(500);
    expect(reached).toEqual([]);
  });
});
