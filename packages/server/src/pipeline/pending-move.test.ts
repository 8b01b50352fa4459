import { describe, expect, it } from 'vitest';
import { PendingMove } from './pending-move.ts';

const follow = (answer: boolean | Promise<boolean>) => {
  const said: string[] = [];
  const move = new PendingMove();
  move.follow(
    answer,
    () => said.push('moved'),
    () => said.push('stays'),
  );
  return { move, said };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a move that limits are asked about (X-02, CF-07)', () => {
  it('follows an answer that is there at once in the same step', () => {
    expect(follow(true).said).toEqual(['moved']);
    const { move, said } = follow(false);
    expect(said).toEqual(['stays']);
    expect(move.waits(() => said.push('ended'))).toBe(false);
  });

  it('keeps what would end the call until the answer is there, and then ends it instead of going on', async () => {
    for (const ok of [true, false]) {
      const answer = Promise.withResolvers<boolean>();
      const { move, said } = follow(answer.promise);
      expect(move.waits(() => said.push('left'))).toBe(true);
      expect(move.waits(() => said.push('stopped'))).toBe(true);
      expect(said).toEqual([]);
      answer.resolve(ok);
      await turn();
      expect(said).toEqual(ok ? ['moved', 'left'] : ['left']);
      expect(move.pending).toBe(false);
    }
  });

  it('takes a failure to ask for a no', async () => {
    const { said } = follow(Promise.reject(new Error('no answer')));
    await turn();
    expect(said).toEqual(['stays']);
  });
});
