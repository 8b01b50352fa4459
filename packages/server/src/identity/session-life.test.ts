import { FIRST, type IdentityWorld, ORIGIN, startIdentityWorld } from '@tallygate/testkit/identity-world';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserRow } from '../store/store.ts';
import { sha256Hex } from './token.ts';

const IDLE_MS = 3_600_000;
const ABSOLUTE_MS = 24 * IDLE_MS;
const OWED_MS = 300_000;
/** Use is written down this often, so a session may be taken for idle that much earlier than its last use says. */
const TOUCH_MS = 60_000;

let world: IdentityWorld;
let users: UserRow[];
beforeEach(async () => {
  world = await startIdentityWorld();
  users = [await world.addUser('ada'), await world.addUser('ben')];
});
afterEach(() => world.close());

type Step =
  | { what: 'start'; user: number; owed: boolean }
  | { what: 'use'; session: number }
  | { what: 'end'; session: number }
  | { what: 'look'; session: number }
  | { what: 'wait'; ms: number }
  | { what: 'end all of'; user: number; keep: number | null }
  | { what: 'disable'; user: number }
  | { what: 'enable'; user: number };

const user = fc.nat(1);
const session = fc.nat(7);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constant('start' as const), user, owed: fc.boolean() }) },
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constantFrom('use' as const, 'look' as const, 'end' as const),
        session,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('wait' as const),
        ms: fc.constantFrom(
          1,
          OWED_MS - 1,
          OWED_MS,
          IDLE_MS / 2,
          IDLE_MS / 2,
          IDLE_MS / 2,
          IDLE_MS,
          ABSOLUTE_MS,
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant('end all of' as const), user, keep: fc.option(session) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constantFrom('disable' as const, 'enable' as const), user }),
    },
  ),
  { minLength: 5, maxLength: 30 },
);

interface Expected {
  token: string;
  userId: string;
  startedMs: number;
  endsMs: number;
  usedMs: number;
  over: boolean;
}

/** What ought to be true, written down without looking at how it is done. */
class Model {
  readonly sessions: Expected[] = [];
  readonly disabled = new Set<string>();

  at(index: number): Expected | undefined {
    return this.sessions[index % Math.max(this.sessions.length, 1)];
  }

  /** `certain`: where the minute between two notes of its use does not matter. */
  lives(one: Expected, nowMs: number): { alive: boolean; certain: boolean } {
    const inTime = nowMs < one.endsMs;
    const idleMs = nowMs - one.usedMs;
    const alive = !one.over && inTime && idleMs < IDLE_MS;
    return { alive, certain: !alive || idleMs + TOUCH_MS < IDLE_MS };
  }
}

async function run(life: readonly Step[]): Promise<void> {
  const model = new Model();
  for (const { id: userId } of users)
    await world.store.people.updateMember({ userId, workspaceId: FIRST }, { disabledAtMs: null });
  const now = (): number => world.clock.ms;
  for (const step of life) {
    if (step.what === 'start') {
      const who = users[step.user] as UserRow;
      const terms = { secondFactor: step.owed ? 'owed' : 'settled', method: 'password' } as const;
      const { token } = await world.sessions.start(who, ORIGIN, terms);
      const endsMs = now() + (step.owed ? OWED_MS : ABSOLUTE_MS);
      const at = { startedMs: now(), endsMs, usedMs: now() };
      model.sessions.push({ token: token.reveal(), userId: who.id, ...at, over: false });
    } else if (step.what === 'wait') {
      world.clock.ms += step.ms;
    } else if (step.what === 'disable' || step.what === 'enable') {
      const { id: userId } = users[step.user] as UserRow;
      const disabledAtMs = step.what === 'disable' ? now() : null;
      await world.store.people.updateMember({ userId, workspaceId: FIRST }, { disabledAtMs });
      if (step.what === 'enable') model.disabled.delete(userId);
      else {
        model.disabled.add(userId);
        for (const one of model.sessions) if (one.userId === userId) one.over = true;
      }
    } else if (step.what === 'end all of') {
      const { id: userId } = users[step.user] as UserRow;
      const kept = step.keep === null ? undefined : model.at(step.keep)?.token;
      await world.store.people.endSessions(userId, kept === undefined ? null : sha256Hex(kept));
      for (const one of model.sessions) if (one.userId === userId && one.token !== kept) one.over = true;
    } else await touch(step, model);
  }
  for (const index of model.sessions.keys()) await touch({ what: 'look', session: index }, model);
}

async function touch(step: { what: 'use' | 'end' | 'look'; session: number }, model: Model): Promise<void> {
  const one = model.at(step.session);
  if (one === undefined) return;
  const { alive, certain } = model.lives(one, world.clock.ms);
  const idHash = sha256Hex(one.token);
  if (step.what === 'end') {
    await world.sessions.end(idHash);
    one.over = true;
  } else if (step.what === 'use') {
    const found = await world.sessions.find(one.token);
    if (certain) expect(found !== null).toBe(alive && !model.disabled.has(one.userId));
    if (found === null) {
      if (!model.disabled.has(one.userId)) one.over = true;
      return;
    }
    expect(found.user.id).toBe(one.userId);
    expect(alive).toBe(true);
    one.usedMs = world.clock.ms;
  } else {
    const living = await world.sessions.alive(idHash);
    if (certain) expect(living).toBe(alive);
    else if (!living) one.over = true;
  }
}

describe('the life of sessions (TW-02)', () => {
  it('whatever happens in whatever order, none lives longer than it may and none dies too soon', async () => {
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: 60 });
  });
});
