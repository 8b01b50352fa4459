import { ScriptedLink } from '@tallygate/testkit/scripted-link';
import { beforeEach, describe, expect, it } from 'vitest';
import { Audit } from './audit.ts';
import { RedisHold } from './redis-hold.ts';

const BOOKS = { generation: 'g1', fromMs: 0 };
/** Every so many heartbeats it looks. */
const ROUND = 10;

let link: ScriptedLink;
let kept: string[];
let open: RedisHold[];
let asking: Set<string>;
let released: string[];
let losses: number;
let audit: Audit;
beforeEach(() => {
  link = new ScriptedLink();
  [kept, open, asking, released, losses] = [[], [], new Set(), [], 0];
  link.answer = () => kept;
  audit = new Audit({
    ...{ link, holdsKey: (generation) => `holds:${generation}`, open: () => open },
    isAsking: (id) => asking.has(id),
    release: (id) => void released.push(id),
    lost: () => {
      losses += 1;
    },
  });
});

const hold = (id: string, { counted = true, ageMs = 6_000 } = {}): RedisHold =>
  new RedisHold(
    { id, startedAtMs: 0, clampedTo: null },
    [],
    { ended: () => undefined },
    {
      ...{ counted, madeAtMs: performance.now() - ageMs },
    },
  );

async function beats(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await audit.beat(BOOKS);
}

describe('the audit of what Redis keeps for a process (X-02, X-08)', () => {
  it('asks every tenth heartbeat and no other, as long as all is well', async () => {
    open = [hold('mine')];
    kept = ['mine'];
    await beats(ROUND - 1);
    expect(link.asked).toEqual([]);
    await beats(1 + ROUND);
    expect(link.asked.map(({ what, args }) => [what, ...args])).toEqual([
      ['HKEYS', 'holds:g1'],
      ['HKEYS', 'holds:g1'],
    ]);
    expect([released, losses]).toEqual([[], 0]);
  });

  it('gives back a hold that nobody knows when it is there at the next look too, which comes at once', async () => {
    kept = ['stranger'];
    await beats(ROUND);
    expect(released).toEqual([]);
    await beats(1);
    expect(released).toEqual(['stranger']);
  });

  it('leaves alone what has ended in between, what is asked about, and what is under way', async () => {
    kept = ['ended', 'asked', 'mine'];
    asking.add('asked');
    open = [hold('mine')];
    await beats(ROUND);
    kept = ['asked', 'mine', 'new'];
    await beats(1);
    expect(released).toEqual([]);
    kept = ['asked', 'mine', 'ended'];
    await beats(1); // `new` has gone as well, `ended` is suspected anew
    expect([released, losses]).toEqual([[], 0]);
  });

  it('tells that Redis forgot: a hold that has certainly arrived is not there', async () => {
    open = [hold('there'), hold('forgotten')];
    kept = ['there', 'stranger'];
    await beats(ROUND);
    expect([losses, released]).toEqual([1, []]);
  });

  it('does not miss what is young, what passed uncounted, or what is asked about', async () => {
    open = [hold('young', { ageMs: 1_000 }), hold('uncounted', { counted: false }), hold('asked')];
    asking.add('asked');
    await beats(ROUND);
    expect(losses).toBe(0);
    asking.delete('asked');
    await beats(ROUND);
    expect(losses).toBe(1);
  });

  it('judges by what was under way after Redis was asked: what came meanwhile is no stranger', async () => {
    kept = ['mine', 'came'];
    link.answer = () => {
      open = [hold('mine'), hold('came', { ageMs: 0 })];
      return kept;
    };
    await beats(ROUND + 1);
    expect([released, losses]).toEqual([[], 0]);
    expect(link.asked).toHaveLength(1); // nobody was suspected
  });
});
