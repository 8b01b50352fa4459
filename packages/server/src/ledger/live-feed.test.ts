import { describe, expect, it } from 'vitest';
import { createLiveFeed } from './live-feed.ts';

describe('the live feed', () => {
  it('tells every listener until it leaves', () => {
    const feed = createLiveFeed();
    const heard: string[] = [];
    const leave = feed.subscribe(() => heard.push('a'));
    feed.subscribe(() => heard.push('b'));
    feed.announce();
    leave();
    leave();
    feed.announce();
    expect(heard).toEqual(['a', 'b', 'b']);
  });

  it('a listener that throws is dropped and keeps no other from hearing', () => {
    const feed = createLiveFeed();
    let calls = 0;
    let heard = 0;
    feed.subscribe(() => {
      calls++;
      throw new Error('gone');
    });
    feed.subscribe(() => heard++);
    feed.announce();
    feed.announce();
    expect([calls, heard]).toEqual([1, 2]);
  });
});
