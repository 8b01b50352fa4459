import { describe, expect, it } from 'vitest';
import { BodyPlace, BodyRoom } from './body-room.ts';

describe('room for bodies (CF-13)', () => {
  it('takes what fits, and nothing of what does not', () => {
    const room = new BodyRoom(10);
    expect([room.take(6), room.take(5), room.take(4), room.take(1)]).toEqual([true, false, true, false]);
    expect(room.heldBytes).toBe(10);
  });

  it('gets back what a body took once, however often that is said', () => {
    const room = new BodyRoom(10);
    room.take(4);
    room.take(6);
    const place = new BodyPlace(room, 6);
    place.give();
    place.give();
    expect(room.heldBytes).toBe(4);
  });
});
