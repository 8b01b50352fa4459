import { FIRST, type IdentityWorld, SECOND, startIdentityWorld } from '@tallygate/testkit/identity-world';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptEntryLink, makeEntryLink } from './entry-link.ts';

const PASSWORD = 'seven quiet otters paddle';
const LIFETIME_MS = 3_600_000;

let world: IdentityWorld;
beforeEach(async () => {
  world = await startIdentityWorld();
});
afterEach(() => world.close());

type Step =
  | { what: 'invite'; second: boolean; role: 'viewer' | 'manager' | 'owner' }
  | { what: 'new password'; person: number }
  | { what: 'use'; link: number; times: number }
  | { what: 'withdraw'; link: number }
  | { what: 'wait'; ms: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('invite' as const),
        second: fc.boolean(),
        role: fc.constantFrom('viewer' as const, 'manager' as const, 'owner' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('new password' as const), person: fc.nat(3) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        what: fc.constant('use' as const),
        link: fc.nat(6),
        times: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('withdraw' as const), link: fc.nat(6) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant('wait' as const),
        ms: fc.constantFrom(1, LIFETIME_MS / 2, LIFETIME_MS - 1, LIFETIME_MS),
      }),
    },
  ),
  { minLength: 5, maxLength: 25 },
);

interface Link {
  id: string;
  code: string;
  endsMs: number;
  over: boolean;
  /** Whom it is for; null for somebody new. */
  userId: string | null;
  grants: { workspaceId: string; role: string } | null;
}

let named = 0;
async function run(life: readonly Step[]): Promise<void> {
  const links: Link[] = [];
  const people: string[] = [];
  const before = await world.store.identity.countUsers();
  const linkAt = (index: number): Link | undefined => links[index % Math.max(links.length, 1)];
  for (const step of life) {
    if (step.what === 'wait') world.clock.ms += step.ms;
    else if (step.what === 'invite' || step.what === 'new password') {
      const userId = step.what === 'invite' ? null : (people[step.person] ?? null);
      if (step.what === 'new password' && userId === null) continue;
      const grants =
        step.what === 'invite' ? { workspaceId: step.second ? SECOND : FIRST, role: step.role } : null;
      const purpose = grants === null ? { userId: userId ?? '' } : { ...grants, note: null };
      const { row, code } = await makeEntryLink(world, purpose, { createdBy: null, lifetimeMs: LIFETIME_MS });
      links.push({ id: row.id, code: code.reveal(), endsMs: row.expiresAtMs, over: false, userId, grants });
    } else if (step.what === 'withdraw') {
      const link = linkAt(step.link);
      if (link === undefined) continue;
      await world.store.people.deleteLink(link.id);
      link.over = true;
    } else {
      const link = linkAt(step.link);
      if (link !== undefined) await use(link, step.times, people);
    }
  }
  expect(await world.store.identity.countUsers()).toBe(before + people.length);
}

/** Several at once with the same link: one of them, or nobody. */
async function use(link: Link, times: number, people: string[]): Promise<void> {
  const alive = !link.over && world.clock.ms < link.endsMs;
  const tries = await Promise.allSettled(
    Array.from({ length: times }, () =>
      acceptEntryLink(world, { code: link.code, username: `person${named++}`, password: PASSWORD }),
    ),
  );
  const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(won).toHaveLength(alive ? 1 : 0);
  for (const one of tries)
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'link_invalid' });
  const [person] = won;
  if (person === undefined) return;
  link.over = true;
  if (link.grants === null) expect(person.id).toBe(link.userId);
  else {
    people.push(person.id);
    expect(await world.store.people.listMemberships(person.id)).toMatchObject([link.grants]);
  }
}

describe('the life of links (CF-14)', () => {
  it('whatever happens in whatever order, each is good once, in time, and grants what it says', async () => {
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: 25 });
  });
});
