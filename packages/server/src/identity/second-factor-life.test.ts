import { type IdentityWorld, startIdentityWorld } from '@tallygate/testkit/identity-world';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserRow } from '../store/store.ts';
import { hotp } from './totp.ts';

const STEP_MS = 30_000;

let world: IdentityWorld;
let users: UserRow[];
beforeEach(async () => {
  world = await startIdentityWorld();
  users = [await world.addUser('ada'), await world.addUser('ben')];
});
afterEach(() => world.close());

type Step =
  | { what: 'offer'; user: number }
  | { what: 'confirm'; user: number; drift: number }
  | { what: 'app code'; user: number; of: number; drift: number }
  | { what: 'recovery'; user: number; of: number; code: number }
  | { what: 'renew'; user: number }
  | { what: 'remove'; user: number }
  | { what: 'wait'; steps: number };

const user = fc.nat(1);
const drift = fc.integer({ min: -3, max: 3 });
const steps = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ what: fc.constant('offer' as const), user }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('confirm' as const), user, drift }) },
    { weight: 6, arbitrary: fc.record({ what: fc.constant('app code' as const), user, of: user, drift }) },
    {
      weight: 4,
      arbitrary: fc.record({ what: fc.constant('recovery' as const), user, of: user, code: fc.nat(12) }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('renew' as const), user }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('remove' as const), user }) },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant('wait' as const), steps: fc.integer({ min: 1, max: 4 }) }),
    },
  ),
  { minLength: 8, maxLength: 40 },
);

/** What somebody ought to have. */
interface Expected {
  secret: Buffer | null;
  confirmed: boolean;
  lastStep: number;
  /** Codes that were shown last, and whether each still counts. */
  codes: { text: string; good: boolean }[];
}
const fresh = (): Expected => ({ secret: null, confirmed: false, lastStep: -1, codes: [] });

function bytesOf(text: string): Buffer {
  const bits = [...text].map((char) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'),
  );
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

async function act(step: Exclude<Step, { what: 'wait' }>, people: Expected[]): Promise<void> {
  const who = users[step.user] as UserRow;
  const mine = people[step.user] as Expected;
  const nowStep = Math.floor(world.clock.ms / STEP_MS);
  if (step.what === 'offer') {
    const outcome = await world.secondFactor.offer(who).catch(codeOf);
    if (mine.confirmed) return expect(outcome).toBe('conflict');
    if (typeof outcome === 'string') return expect.unreachable(outcome);
    mine.secret = bytesOf(outcome.secret);
  } else if (step.what === 'confirm') {
    const sent = mine.secret === null ? '123456' : hotp(mine.secret, nowStep + step.drift);
    const outcome = await world.secondFactor.confirm(who.id, sent).catch(codeOf);
    if (mine.secret === null || mine.confirmed) return expect(outcome).toBe('conflict');
    if (Math.abs(step.drift) > 1) return expect(outcome).toBe('second_factor_invalid');
    if (typeof outcome === 'string') return expect.unreachable(outcome);
    Object.assign(mine, { confirmed: true, lastStep: nowStep + step.drift });
    mine.codes = outcome.map((text) => ({ text, good: true }));
  } else if (step.what === 'app code') {
    const { secret } = people[step.of] as Expected;
    if (secret === null) return;
    const at = nowStep + step.drift;
    const good = step.of === step.user && mine.confirmed && Math.abs(step.drift) <= 1 && at > mine.lastStep;
    expect([step, await world.secondFactor.take(who.id, hotp(secret, at))]).toEqual([step, good]);
    if (good) mine.lastStep = at;
  } else if (step.what === 'recovery') {
    const code = (people[step.of] as Expected).codes[step.code];
    if (code === undefined) return;
    const good = step.of === step.user && code.good;
    expect([step, await world.secondFactor.take(who.id, code.text)]).toEqual([step, good]);
    if (good) code.good = false;
  } else if (step.what === 'renew') {
    const outcome = await world.secondFactor.renewRecoveryCodes(who.id).catch(codeOf);
    if (!mine.confirmed) return expect(outcome).toBe('conflict');
    if (typeof outcome === 'string') return expect.unreachable(outcome);
    mine.codes = outcome.map((text) => ({ text, good: true }));
  } else {
    await world.secondFactor.remove(who.id);
    const codes = mine.codes.map(({ text }) => ({ text, good: false }));
    Object.assign(mine, fresh(), { codes });
  }
}

describe('the life of second factors (CF-13)', () => {
  it('whatever happens in whatever order, a code counts once, for its owner, and while it is meant to', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (life) => {
        for (const { id } of users) await world.secondFactor.removeAll(id);
        world.clock.ms += 100 * STEP_MS;
        const people = [fresh(), fresh()];
        for (const step of life) {
          if (step.what === 'wait') world.clock.ms += step.steps * STEP_MS;
          else await act(step, people);
        }
        for (const [index, mine] of people.entries()) {
          expect(await world.secondFactor.status((users[index] as UserRow).id)).toEqual({
            enrolled: mine.confirmed,
            passkeys: 0,
            recoveryCodesLeft: mine.codes.filter(({ good }) => good).length,
          });
        }
      }),
      { numRuns: 40 },
    );
  });
});
