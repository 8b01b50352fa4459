import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { account, workspace } from './store-conformance-config.ts';

export function oauthConformance(bench: StoreBench): void {
  describe('OAuth accounts (CF-03, CF-04)', () => {
    const tokens = (sealedSecrets: string) => ({
      sealedSecrets,
      expiresAtMs: 5_000,
      reauthReason: null,
      updatedAtMs: 7,
    });

    it('changes tokens only where they are still those that were read, and forgets them with the account', async () => {
      const { config, oauth, vault } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertAccount({ ...account, id: 'a1', name: 'one' });
      expect(await oauth.findAccountOauth('a1')).toBeNull();
      await oauth.putAccountOauth({ accountId: 'a1', client: '{}', ...tokens('first') });
      const first = { accountId: 'a1', client: '{}', version: 1, ...tokens('first') };
      expect(await oauth.findAccountOauth('a1')).toEqual(first);
      expect(await oauth.updateOauthTokens('a1', 1, tokens('second'))).toBe(true);
      expect(await oauth.updateOauthTokens('a1', 1, tokens('late'))).toBe(false);
      expect(await oauth.updateOauthTokens('gone', 1, tokens('late'))).toBe(false);
      const ended = { ...tokens('second'), expiresAtMs: null, reauthReason: 'invalid_grant' };
      expect(await oauth.updateOauthTokens('a1', 2, ended)).toBe(true);
      expect(await oauth.listAccountOauth()).toEqual([{ ...first, ...ended, version: 3 }]);
      await oauth.putAccountOauth({ accountId: 'a1', client: '{"x":1}', ...tokens('new') });
      expect(await oauth.findAccountOauth('a1')).toMatchObject({ client: '{"x":1}', version: 4 });
      const at = { table: 'account_oauth', row: 'a1', column: 'secrets' };
      expect(await vault.listSealed()).toContainEqual({ at, text: 'new' });
      expect(await vault.replaceSealed({ at, text: 'new' }, 'resealed')).toBe(true);
      expect((await oauth.findAccountOauth('a1'))?.sealedSecrets).toBe('resealed');
      await config.deleteAccount(account);
      expect(await oauth.listAccountOauth()).toEqual([]);
    });

    it('lets exactly one of many racing writers change the tokens', async () => {
      const { config, oauth } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertAccount({ ...account, id: 'a1', name: 'one' });
      await oauth.putAccountOauth({ accountId: 'a1', client: '{}', ...tokens('first') });
      const writers = Array.from({ length: 20 }, (_, i) => oauth.updateOauthTokens('a1', 1, tokens(`w${i}`)));
      expect((await Promise.all(writers)).filter(Boolean)).toHaveLength(1);
    });

    it('gives a sign-in session once, and forgets those that ended', async () => {
      const { oauth, vault } = await bench.open('main');
      const session = (id: string, expiresAtMs: number) => ({
        id,
        sealedPayload: `p-${id}`,
        createdAtMs: 1,
        expiresAtMs,
      });
      for (const [id, end] of Object.entries({ s1: 10, s2: 20, s3: 30 }))
        await oauth.insertOauthSession(session(id, end));
      expect(await oauth.countOauthSessions()).toBe(3);
      const at = { table: 'oauth_session', row: 's3', column: 'payload' };
      expect(await vault.replaceSealed({ at, text: 'p-s3' }, 'p-s3')).toBe(true);
      const takers = await Promise.all(Array.from({ length: 10 }, () => oauth.takeOauthSession('s3')));
      expect(takers.filter((taken) => taken !== null)).toEqual([session('s3', 30)]);
      expect(await oauth.takeOauthSession('unknown')).toBeNull();
      expect(await oauth.deleteExpiredOauthSessions(10)).toBe(1);
      expect(await oauth.countOauthSessions()).toBe(1);
    });
  });
}
