import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createVault } from '../vault/aes-vault.ts';
import { createChallenges } from './challenges.ts';

const KEY = randomBytes(32);

describe('challenges (CF-13, X-08)', () => {
  const clock = { ms: 1_000, now: () => clock.ms, monotonicMs: () => clock.ms };
  const spent = new Set<string>();
  const store = {
    passkeys: {
      spendChallenge: async (id: string) => !spent.has(id) && spent.add(id).size > 0,
    },
  };
  /** One node: they share the store and the key, and no memory. */
  const node = (key = KEY) => {
    const vault = createVault(key, randomBytes);
    const place = (row: string) => ({ table: 'browser', row, column: 'challenge' });
    return createChallenges({
      store,
      clock,
      box: {
        seal: (secret, purpose) => vault.seal(secret, place(purpose)),
        open: (sealed, purpose) => vault.open(sealed, place(purpose)),
      },
    });
  };

  it('are good on every node, for their purpose, for five minutes', () => {
    const [one, other] = [node(), node()];
    const challenge = one.issue('a');
    expect([one, other].map((at) => at.isOurs(challenge, 'a'))).toEqual([true, true]);
    expect(other.isOurs(challenge, 'b')).toBe(false);
    clock.ms += 5 * 60_000 - 1;
    expect(other.isOurs(challenge, 'a')).toBe(true);
    clock.ms += 1;
    expect(other.isOurs(challenge, 'a')).toBe(false);
  });

  it('count once, whichever node was asked first', async () => {
    const [one, other] = [node(), node()];
    const challenge = one.issue('a');
    await other.spend(challenge);
    await expect(one.spend(challenge)).rejects.toMatchObject({ code: 'passkey_invalid' });
  });

  it('are never the same, and nothing that somebody else made is one', () => {
    const challenges = node();
    expect(challenges.issue('a')).not.toBe(challenges.issue('a'));
    const foreign = node(randomBytes(32)).issue('a');
    for (const text of ['', 'A'.repeat(43), foreign, challenges.issue('a').slice(0, -4)]) {
      expect(challenges.isOurs(text, 'a')).toBe(false);
    }
  });
});
