import type { BudgetRow } from '@tallygate/server/store/ports/budgets';
import type { AccountRow, ApiKeyRow, ProjectRow, SessionRow, UserRow } from '@tallygate/server/store/store';
import { describe, expect, it } from 'vitest';
import { sampleSettled } from './sample-event.ts';
import type { StoreBench } from './store-conformance.ts';

const workspace = { id: 'ws', slug: 'default', name: 'Workspace', allowedAddresses: [], createdAtMs: 1 };
const project: ProjectRow = {
  id: 'p1',
  workspaceId: 'ws',
  slug: 'default',
  name: 'Default',
  disconnectPolicy: 'abort',
  environment: 'staging',
  createdAtMs: 2,
};
const key: ApiKeyRow = {
  id: 'k1',
  workspaceId: 'ws',
  projectId: 'p1',
  name: 'laptop',
  prefix: 'tg_abc',
  keyHash: 'a'.repeat(64),
  scopes: ['gateway', 'read'],
  createdAtMs: 3,
  expiresAtMs: null,
  revokedAtMs: null,
  lastUsedAtMs: null,
  kind: 'issued',
  restrictions: null,
  rotatedAtMs: null,
  previous: null,
  userId: null,
};
const account: AccountRow = {
  id: 'a1',
  workspaceId: 'ws',
  name: 'main',
  provider: 'compatible',
  preset: 'ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  sealedCredential: null,
  credentialHint: null,
  allowPrivateUpstream: true,
  pinSha256: ['47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
  models: ['llama*', "o'brien"],
  priority: -5,
  weight: 3,
  tier: 5,
  notes: 'ünïcode',
  boundTo: ['project:p1'],
  paused: false,
  createdAtMs: 4,
  lastUsedAtMs: null,
};
const user: UserRow = {
  id: 'u1',
  username: 'owner',
  passwordHash: '$argon2id$x',
  createdAtMs: 5,
  disabledAtMs: null,
};
const session: SessionRow = {
  idHash: 'b'.repeat(64),
  userId: 'u1',
  csrfHash: 'c'.repeat(64),
  createdAtMs: 10,
  lastSeenAtMs: 10,
  expiresAtMs: 1_000,
  address: '127.0.0.1',
  userAgent: 'test "agent" ünïcode 😀',
  secondFactorTries: null,
  method: 'password',
  workspaceId: null,
};

/** A row of the workspace, by id. */
const own = (id: string, workspaceId = 'ws') => ({ id, workspaceId });
const owner = { workspaceId: 'ws', role: 'owner' };

export { account, key, owner, project, session, user, workspace };

export function configConformance(bench: StoreBench): void {
  describe('configuration', () => {
    it('raises a number with every change of what nodes keep in memory, and with every row (X-08)', async () => {
      const { config, budgets, ledger } = await bench.open('ledger');
      await config.ensureWorkspace(workspace);
      let last = (await config.readTurns()).config;
      const raised = async (what: string, change: () => Promise<unknown>): Promise<void> => {
        await change();
        const { config: now } = await config.readTurns();
        expect(now, what).toBeGreaterThan(last);
        last = now;
      };
      await raised('setting', () => config.setSetting('colour', 'red'));
      await raised('setting again', () => config.setSetting('colour', 'blue'));
      const budget: BudgetRow = {
        ...{ id: 'b1', workspaceId: 'ws', name: 'b', scope: [], measure: 'usd' },
        ...{
          limit: 1,
          window: 'day',
          windowHours: null,
          sliding: false,
          provisionalNanoUsdPerMtok: null,
          timeZone: 'UTC',
          mode: 'hard',
          unpriced: 'refuse',
          onOutage: 'closed',
        },
        createdAtMs: 1,
      };
      await raised('budget', () => budgets.insertBudget(budget));
      await raised('limit', () => budgets.updateBudget(budget, { limit: 7 }));
      await raised('removal', () => budgets.deleteBudget(budget));
      const { ledger: before } = await config.readTurns();
      const event = sampleSettled('turn');
      await ledger.commit([event], {
        nodeId: 'n',
        committed: { segment: 1, offset: 1 },
        lowWaterSegment: 0,
      });
      expect(await config.readTurns()).toEqual({ config: last, ledger: before + 1 });
    });

    it('keeps the first value of a setting that several nodes offer at once', async () => {
      const [a, b] = [await bench.open('main'), await bench.open('ledger')];
      const kept = await Promise.all(
        [a, b, a, b].map(({ config }, index) => config.ensureSetting('root', `value ${index}`)),
      );
      expect(new Set(kept).size).toBe(1);
      expect(await a.config.getSetting('root')).toBe(kept[0]);
      expect(await b.config.ensureSetting('root', 'late')).toBe(kept[0]);
    });

    it('keeps the first workspace, also when several are offered at once', async () => {
      const [a, b] = [await bench.open('main'), await bench.open('ledger')];
      const rows = await Promise.all(
        ['ws', 'other', 'third'].map((id, index) =>
          (index === 1 ? b : a).config.ensureWorkspace({
            id,
            slug: id,
            name: id,
            allowedAddresses: [],
            createdAtMs: index,
          }),
        ),
      );
      expect(new Set(rows.map((row) => row.id)).size).toBe(1);
    });

    it('stores projects, keys and accounts as given', async () => {
      const { config } = await bench.open('main');
      expect(await config.ensureWorkspace(workspace)).toEqual(workspace);
      await config.insertProject(project);
      await config.insertKey(key);
      await config.insertAccount(account);
      expect(await config.listProjects(null)).toEqual([project]);
      expect(await config.listKeys(null)).toEqual([key]);
      expect(await config.listAccounts(null)).toEqual([account]);
    });

    it('keeps the limits of a key and replaces its secret once (TW-05)', async () => {
      const { config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertProject(project);
      const restrictions = { addresses: ['10.0.0.0/8'], origins: [], models: ["o'*"], providers: [] };
      await config.insertKey({ ...key, kind: 'environment', restrictions });
      expect(await config.listKeys(null)).toEqual([{ ...key, kind: 'environment', restrictions }]);
      expect(await config.updateKey(own('k1'), { restrictions: null })).toBe(true);
      const change = {
        keyHash: 'b'.repeat(64),
        prefix: 'tg_new',
        rotatedAtMs: 50,
        previous: { keyHash: key.keyHash, prefix: key.prefix, expiresAtMs: 60 },
      };
      const outcomes = await Promise.all([1, 2].map(() => config.rotateKey(own('k1'), key.keyHash, change)));
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await config.listKeys(null)).toEqual([{ ...key, kind: 'environment', ...change }]);
      await config.updateKey(own('k1'), { revokedAtMs: 70 });
      expect(await config.rotateKey(own('k1'), change.keyHash, { ...change, previous: null })).toBe(false);
    });

    it('changes only what a change names, and says when there is nothing to change', async () => {
      const { config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertProject(project);
      await config.insertKey(key);
      await config.insertAccount(account);
      expect(await config.updateProject(own('p1'), { disconnectPolicy: 'drain', environment: 'test' })).toBe(
        true,
      );
      expect(await config.updateKey(own('k1'), { revokedAtMs: 77 })).toBe(true);
      expect(
        await config.updateAccount(own('a1'), { paused: true, models: [], credentialHint: 'wxyz' }),
      ).toBe(true);
      expect(await config.listProjects(null)).toEqual([
        { ...project, disconnectPolicy: 'drain', environment: 'test' },
      ]);
      expect(await config.listKeys(null)).toEqual([{ ...key, revokedAtMs: 77 }]);
      expect(await config.listAccounts(null)).toEqual([
        { ...account, paused: true, models: [], credentialHint: 'wxyz' },
      ]);
      expect(await config.updateKey(own('k1'), {})).toBe(true);
      expect(await config.updateKey(own('nobody'), { name: 'x' })).toBe(false);
      expect(await config.updateAccount(own('nobody'), { name: 'x' })).toBe(false);
      expect(await config.updateProject(own('nobody'), {})).toBe(false);
    });

    it('refuses a taken slug or name with name_taken, and stores nothing of it', async () => {
      const { config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertProject(project);
      await config.insertAccount(account);
      await config.insertAccount({ ...account, id: 'a2', name: 'second' });
      await expect(config.insertProject({ ...project, id: 'p2' })).rejects.toMatchObject({
        code: 'name_taken',
      });
      await expect(config.insertAccount({ ...account, id: 'a3' })).rejects.toMatchObject({
        code: 'name_taken',
      });
      await expect(config.updateAccount(own('a2'), { name: 'main' })).rejects.toMatchObject({
        code: 'name_taken',
      });
      expect(await config.listProjects(null)).toHaveLength(1);
      expect((await config.listAccounts(null)).map((row) => row.name)).toEqual(['main', 'second']);
    });

    it('keeps workspaces apart: lists one alone, and changes nothing of another by its id (TW-07)', async () => {
      const store = await bench.open('main');
      const { config, budgets } = store;
      await config.ensureWorkspace(workspace);
      const second = { id: 'ws2', slug: 'second', name: 'Second', allowedAddresses: [], createdAtMs: 9 };
      const theirs = { ...project, id: 'p2', workspaceId: 'ws2' };
      await config.insertWorkspace(second, theirs);
      await expect(
        config.insertWorkspace({ ...second, id: 'ws3' }, { ...theirs, id: 'p3', workspaceId: 'ws3' }),
      ).rejects.toMatchObject({ code: 'name_taken' });
      expect(await config.updateWorkspace('ws2', { name: 'Other' })).toBe(true);
      const allowedAddresses = ['10.0.0.0/8', '::1'];
      expect(await config.updateWorkspace('ws2', { allowedAddresses })).toBe(true);
      expect(await config.updateWorkspace('ws2', {})).toBe(true);
      expect(await config.updateWorkspace('nobody', { name: 'x' })).toBe(false);
      expect(await config.listWorkspaces()).toEqual([
        workspace,
        { ...second, name: 'Other', allowedAddresses },
      ]);
      await config.insertProject(project);
      await config.insertKey(key);
      await config.insertAccount(account);
      await config.insertAccount({ ...account, id: 'a2', workspaceId: 'ws2' });
      expect(await config.listProjects('ws2')).toEqual([theirs]);
      expect(await config.listProjects(null)).toHaveLength(2);
      expect(await config.listKeys('ws2')).toEqual([]);
      expect((await config.listAccounts('ws2')).map(({ id }) => id)).toEqual(['a2']);
      expect(await budgets.listBudgets('ws2')).toEqual([]);
      const change = { keyHash: 'x', prefix: 'x', rotatedAtMs: 1, previous: null };
      expect([
        await config.updateProject(own('p1', 'ws2'), { name: 'x' }),
        await config.updateProject(own('p1', 'ws2'), {}),
        await config.updateKey(own('k1', 'ws2'), { name: 'x' }),
        await config.rotateKey(own('k1', 'ws2'), key.keyHash, change),
        await config.updateAccount(own('a1', 'ws2'), { name: 'x' }),
        await config.deleteAccount(own('a1', 'ws2')),
      ]).toEqual([false, false, false, false, false, false]);
      expect(await config.listKeys('ws')).toEqual([key]);
      expect(await config.listAccounts('ws')).toEqual([account]);
    });

    it('refuses a key of a project that does not exist', async () => {
      const { config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await expect(config.insertKey(key)).rejects.toThrow();
      expect(await config.listKeys(null)).toEqual([]);
    });

    it('deletes accounts, price overrides, and overwrites settings', async () => {
      const { config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertAccount(account);
      expect(await config.deleteAccount(own('a1'))).toBe(true);
      expect(await config.deleteAccount(own('a1'))).toBe(false);
      const override = {
        id: 'o1',
        provider: 'openai',
        model: 'gpt-x',
        validFromMs: null,
        validToMs: 99,
        ratesPicoUsd: { inputUncached: '123456789012345678' },
        note: null,
        createdAtMs: 6,
      };
      await config.insertPriceOverride(override);
      expect(await config.listPriceOverrides()).toEqual([override]);
      expect(await config.deletePriceOverride('o1')).toBe(true);
      expect(await config.deletePriceOverride('o1')).toBe(false);
      expect(await config.getSetting('x')).toBeNull();
      await Promise.all(['1', '2', '3', '4'].map((value) => config.setSetting('x', value)));
      await config.setSetting('x', 'last');
      expect(await config.getSetting('x')).toBe('last');
    });
  });

  describe('identity', () => {
    it('lets exactly one of many racing set-ups create the first user', async () => {
      const [a, b] = [await bench.open('main'), await bench.open('ledger')];
      await a.config.ensureWorkspace(workspace);
      const won = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 === 0 ? a : b).identity.insertFirstUser(
            { ...user, id: `u${index}`, username: `user${index}` },
            owner,
          ),
        ),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await a.identity.countUsers()).toBe(1);
    });

    it('keeps users and sessions', async () => {
      const { identity, config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      expect(await identity.insertFirstUser(user, owner)).toBe(true);
      expect(await identity.findUserByName('owner')).toEqual(user);
      expect(await identity.findUser('u1')).toEqual(user);
      expect(await identity.findUserByName('Owner')).toEqual(user);
      expect(await identity.findUserByName('owne')).toBeNull();
      await identity.updatePassword('u1', 'new');
      expect((await identity.findUser('u1'))?.passwordHash).toBe('new');
      await identity.insertSession(session);
      await identity.touchSession(session.idHash, 50);
      await identity.chooseWorkspace(session.idHash, 'ws');
      await identity.replaceSessionCsrf(session.idHash, 'd'.repeat(64));
      expect(await identity.findSession(session.idHash)).toEqual({
        ...session,
        lastSeenAtMs: 50,
        workspaceId: 'ws',
        csrfHash: 'd'.repeat(64),
      });
      await identity.deleteSession(session.idHash);
      expect(await identity.findSession(session.idHash)).toBeNull();
    });

    it('deletes the sessions of a user, and expired ones', async () => {
      const { identity, config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await identity.insertFirstUser(user, owner);
      const at = (n: number, expiresAtMs: number) => ({
        ...session,
        idHash: String(n).repeat(64),
        expiresAtMs,
      });
      for (const row of [at(1, 100), at(2, 101), at(3, 900)]) await identity.insertSession(row);
      expect(await identity.deleteExpiredSessions(100)).toBe(1);
      expect(await identity.findSession('2'.repeat(64))).not.toBeNull();
      await identity.deleteSessionsOf('u1');
      expect(await identity.findSession('3'.repeat(64))).toBeNull();
    });
  });
}
