import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Listed, LiveList } from './live-list.ts';

class Item implements Listed {
  slot = -1;
}

describe('LiveList', () => {
  it('holds what a Set would hold, after any adding and removing', () => {
    const steps = fc.array(fc.record({ add: fc.boolean(), index: fc.nat(11) }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (changes) => {
        const items = Array.from({ length: 12 }, () => new Item());
        const list = new LiveList<Item>();
        const expected = new Set<Item>();
        for (const { add, index } of changes) {
          const item = items[index] as Item;
          if (add && !expected.has(item)) {
            list.add(item);
            expected.add(item);
          } else if (!add) {
            list.remove(item);
            expected.delete(item);
          }
          expect(list.size).toBe(expected.size);
        }
        expect(new Set(list.toArray())).toEqual(expected);
        for (const item of items) expect(item.slot >= 0).toBe(expected.has(item));
      }),
    );
  });

  it('gives a copy that may be walked while items leave', () => {
    const list = new LiveList<Item>();
    for (const item of [new Item(), new Item(), new Item()]) list.add(item);
    for (const item of list.toArray()) list.remove(item);
    expect(list.size).toBe(0);
  });
});
