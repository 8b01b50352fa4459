import { describe, expect, it } from 'vitest';
import { nameTable } from './name-table.ts';

function counted(maxNames: number) {
  const asked: string[] = [];
  const table = nameTable((name: string) => {
    asked.push(name);
    return name === 'nothing' ? null : { name };
  }, maxNames);
  return { asked, table };
}

describe('nameTable', () => {
  it('works each name out once, also one of which there is nothing to say', () => {
    const { asked, table } = counted(10);
    expect([table('a'), table('a')]).toEqual([{ name: 'a' }, { name: 'a' }]);
    expect(table('a')).toBe(table('a'));
    expect([table('nothing'), table('nothing')]).toEqual([null, null]);
    expect(asked).toEqual(['a', 'nothing']);
  });

  it('keeps no more names than it may, and still answers for the others', () => {
    const { asked, table } = counted(2);
    for (const name of ['a', 'b', 'c', 'c', 'a', 'b']) expect(table(name)).toEqual({ name });
    expect(asked).toEqual(['a', 'b', 'c', 'c']);
  });

  it('keeps no long name', () => {
    const { asked, table } = counted(10);
    const [kept, long] = ['x'.repeat(128), 'x'.repeat(129)];
    for (const name of [kept, long, kept, long]) table(name);
    expect(asked).toEqual([kept, long, long]);
  });
});
