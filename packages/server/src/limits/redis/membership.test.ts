import { eventually } from '@tallygate/testkit/eventually';
import { type Asked, ScriptedLink, unavailable } from '@tallygate/testkit/scripted-link';
import { afterEach, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../kernel/logger.ts';
import { BEAT, BEGIN, EXPIRE, JOIN, OPEN } from './book-scripts.ts';
import { type Books, Membership, type MembershipDeps } from './membership.ts';
import { Outbox } from './outbox.ts';
import { RedisKeys } from './redis-keys.ts';

const TIMING = {
  ...{ beatMs: 1, leaseMs: 5_000, chargeAfterMs: 60_000 },
  ...{ gatherMs: 80, gatherMaxMs: 900, clockAllowanceMs: 30_000 },
};
const OWNER = 'n:me';
const keys = new RedisKeys('ns');

/** What Redis has, and what it answers from that. */
class Shared {
  readonly link = new ScriptedLink();
  generation = '';
  open = false;
  live = 1;
  dead: string[] = [];
  /** Answers in the place of Redis; undefined where it has nothing to say. */
  instead: (asked: Asked) => unknown = () => undefined;

  constructor() {
    this.link.answer = (asked) => this.instead(asked) ?? this.#answer(asked);
  }

  #answer({ what, args }: Asked): unknown {
    if (what === BEAT) {
      return [
        String(Date.now() - 1_000_000),
        this.generation,
        this.open ? '1' : '0',
        '77',
        '0',
        String(this.live),
        this.dead,
      ];
    }
    if (what === BEGIN && args[0] === this.generation) {
      this.generation = args[1] ?? '';
      this.open = false;
    }
    if (what === OPEN) this.open = true;
    if (what === EXPIRE) this.dead = this.dead.filter((one) => one !== args[0]);
    return what === EXPIRE ? 1 : 'ok';
  }
}

const running: Membership[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

function member(shared: Shared, change: Partial<MembershipDeps> = {}) {
  const { link } = shared;
  const outbox = new Outbox(link, { keys, owner: OWNER, onTrouble: () => undefined, maxWaiting: 2 });
  const opened: Books[] = [];
  let [ids, beats] = [0, 0];
  const membership = new Membership({
    ...{ link, keys, outbox, owner: OWNER, newId: () => `new${++ids}`, logger: silentLogger, timing: TIMING },
    ...{ openHolds: () => [], ledgerUpToNow: () => async () => true, mustBeginAnew: async () => false },
    onOpen: async (books) => void opened.push(books),
    onBeat: async () => {
      beats += 1;
    },
    ...change,
  });
  running.push(membership);
  const up = (generation: string) =>
    eventually(`books ${generation}`, () => membership.books?.generation === generation);
  const beat = async (): Promise<void> => {
    const before = beats;
    await eventually('a heartbeat', () => beats > before + 1);
  };
  return { membership, outbox, opened, up, beat };
}

const told = ({ link }: Shared) =>
  link.of(JOIN).map(({ args }) => {
    const [generation, , number, , , fresh, last, ...names] = args;
    return { generation, number, fresh, last, names: names.length / 2 };
  });

describe("a node's place among those that share the books (X-02, X-08)", () => {
  it('begins books where there are none, joins and opens them, and looks after earlier processes once', async () => {
    const shared = new Shared();
    const { membership, opened, up, beat } = member(shared);
    await membership.start(20_000);
    await up('new1');
    await beat();
    expect(membership.books).toEqual({ generation: 'new1', fromMs: 77 });
    expect(opened).toEqual([{ generation: 'new1', fromMs: 77 }]);
    expect(shared.link.of(BEGIN).map(({ args }) => args)).toEqual([['', 'new1', '30000']]);
    expect(shared.link.of(OPEN).map(({ args }) => args)).toEqual([['new1', '1', '80', '900']]);
    expect(told(shared)).toEqual([{ generation: 'new1', number: '0', fresh: '0', last: '1', names: 0 }]);
    expect(membership.clockSkewMs).toBeGreaterThan(999_000);
  });

  it('joins what others have opened, and says that it brings nothing; books are not there before they are open', async () => {
    const shared = new Shared();
    shared.generation = 'g1';
    let may = 'wait';
    shared.instead = ({ what }) => (what === OPEN && may === 'wait' ? 'wait' : undefined);
    const { membership, up } = member(shared);
    await membership.start(0);
    await eventually('it would open them', () => shared.link.of(OPEN).length > 1);
    expect(membership.books).toBeNull();
    may = 'ok';
    await up('g1');
    expect(told(shared)).toEqual([{ generation: 'g1', number: '0', fresh: '1', last: '1', names: 0 }]);
    expect(shared.link.of(BEGIN)).toEqual([]);
  });

  it('names all that is on its way before the last word, in parts, and is not fresh then', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const holds = Array.from({ length: 450 }, (_, i): [string, string] => [`r${i}`, '0||']);
    const { membership, up } = member(shared, { openHolds: () => holds });
    await membership.start(20_000);
    await up('g1');
    expect(told(shared).map(({ fresh, last, names }) => [fresh, last, names])).toEqual([
      ['0', '0', 200],
      ['0', '0', 200],
      ['0', '0', 50],
      ['0', '1', 0],
    ]);
  });

  it('is not fresh either where requests have ended that only the ledger may know', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const { membership, outbox, up } = member(shared);
    outbox.push({ requestId: 'passed', startedAtMs: 0, amounts: [] });
    await membership.start(20_000);
    await up('g1');
    expect(told(shared).map(({ fresh, last }) => [fresh, last])).toEqual([['0', '1']]);
  });

  it('says the last word only when the ledger has what ended; meanwhile it goes on, and names nothing twice', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const warned: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (text) => void warned.push(text) };
    let [reached, asked, notes]: [boolean | Error, number, number] = [false, 0, 0];
    const { membership, up } = member(shared, {
      ...{ logger, openHolds: () => [['r', '0||']] },
      ledgerUpToNow: () => {
        notes += 1;
        return async () => {
          asked += 1;
          if (reached instanceof Error) throw reached;
          return reached;
        };
      },
    });
    await membership.start(0);
    await eventually('it is asked again', () => asked > 2);
    reached = new Error('the store is away');
    await eventually('it is said', () => warned.length > 0);
    expect([membership.books, told(shared).map(({ last }) => last), notes]).toEqual([null, ['0'], 1]);
    reached = true;
    await up('g1');
    expect(told(shared).map(({ last }) => last)).toEqual(['0', '1']);
  });

  it('names them again where other books began meanwhile', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    shared.instead = ({ what, args }) => {
      if (what !== JOIN || args[0] !== 'g1' || args[6] !== '1') return undefined;
      shared.generation = 'g2';
      return 'stale';
    };
    const { membership, up } = member(shared, { openHolds: () => [['r', '0||']] });
    await membership.start(20_000);
    await up('g2');
    expect(told(shared).map(({ generation, names }) => [generation, names])).toEqual([
      ['g1', 1],
      ['g1', 0],
      ['g2', 1],
      ['g2', 0],
    ]);
  });

  it('books that lost something are begun anew once, unless somebody else has by then', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const { membership, up } = member(shared);
    await membership.start(20_000);
    await up('g1');
    membership.lost();
    expect(membership.books).toBeNull();
    await up('new1');
    expect(shared.link.of(BEGIN).map(({ args }) => args[0])).toEqual(['g1']);
    expect(told(shared).at(-1)).toMatchObject({ generation: 'new1', fresh: '0' });
    membership.lost();
    Object.assign(shared, { generation: 'theirs', open: true });
    await up('theirs');
    expect(shared.link.of(BEGIN)).toHaveLength(1);
    expect(told(shared).at(-1)).toMatchObject({ generation: 'theirs', fresh: '0' });
  });

  it('what was lost before any books were joined distrusts those that are there', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const { membership, up } = member(shared);
    membership.lost();
    await membership.start(20_000);
    await up('new1');
    expect(told(shared).map(({ generation }) => generation)).toEqual(['new1']);
  });

  it('asks what a process before it left behind until it has joined, and not after', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const asked: string[] = [];
    const { membership, up, beat } = member(shared, {
      mustBeginAnew: async (generation) => {
        asked.push(generation);
        return generation === 'g1';
      },
    });
    await membership.start(20_000);
    await up('new1');
    await beat();
    expect(asked).toEqual(['g1']);
    expect(shared.link.of(BEGIN).map(({ args }) => args[0])).toEqual(['g1']);
  });

  it('ends that were dropped are nowhere but in the ledger: the books are begun anew', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    const { membership, outbox, up } = member(shared);
    await membership.start(20_000);
    await up('g1');
    shared.link.isUp = false;
    for (const requestId of ['a', 'b', 'c']) outbox.push({ requestId, startedAtMs: 0, amounts: [] });
    await up('new1');
    expect([outbox.overflown, outbox.size]).toEqual([false, 0]);
  });

  it('charges nodes that are gone, but not itself', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true, dead: ['n:gone', OWNER] });
    const { membership, up, beat } = member(shared);
    await membership.start(20_000);
    await up('g1');
    await beat();
    expect(shared.link.of(EXPIRE).map(({ keys: names, args }) => [...names, ...args])).toEqual([
      [
        ...[keys.nodes, keys.holds('g1', 'n:gone'), keys.expired('g1', 'n:gone')],
        ...['n:gone', keys.windows('g1'), '60000'],
      ],
    ]);
  });

  it('a Redis that is away closes the books at once; what could not be looked after is done with the next heartbeat', async () => {
    const shared = new Shared();
    Object.assign(shared, { generation: 'g1', open: true });
    let failures = 2;
    const { membership, up, opened, beat } = member(shared, {
      onOpen: async (books) => {
        if (failures-- > 0) throw unavailable();
        opened.push(books);
      },
    });
    await membership.start(20_000);
    await up('g1');
    await beat();
    expect([opened.length, told(shared).length]).toEqual([1, 1]);
    shared.instead = ({ what }) => {
      if (what === BEAT) throw unavailable();
    };
    await eventually('they are closed', () => membership.books === null);
    shared.instead = () => undefined;
    await up('g1');
    expect([told(shared).length, opened.length]).toEqual([1, 1]); // they are the same books
  });

  it('nothing is asked any more once it has stopped', async () => {
    const shared = new Shared();
    const { membership } = member(shared);
    await membership.start(20_000);
    await membership.stop();
    const { length } = shared.link.asked;
    membership.poke();
    await new Promise((resolve) => setTimeout(resolve, 0)); // behind the turn that it would have asked for
    expect(shared.link.asked).toHaveLength(length);
  });
});
