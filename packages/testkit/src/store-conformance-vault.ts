import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { account, workspace } from './store-conformance-config.ts';

const wrapping = (id: string, masterKeyId: string, createdAtMs: number) => ({
  id,
  masterKeyId,
  wrapped: `tgv1.${masterKeyId}.wrapped-${id}`,
  createdAtMs,
});

export function vaultConformance(bench: StoreBench): void {
  describe('vault (CF-13)', () => {
    it('keeps data keys by master key, once each, oldest first, and removes either way', async () => {
      const { vault } = await bench.open('main');
      expect(await vault.listDataKeys()).toEqual([]);
      const [a, b, c] = [wrapping('k2', 'm1', 5), wrapping('k1', 'm1', 9), wrapping('k2', 'm2', 5)];
      await vault.insertDataKeys([a, b]);
      await vault.insertDataKeys([{ ...a, wrapped: 'other' }, c]);
      expect(await vault.listDataKeys()).toEqual([a, c, b]);
      await vault.deleteWrappings(['m2', 'm9']);
      expect(await vault.listDataKeys()).toEqual([a, b]);
      await vault.deleteDataKeys([]);
      await vault.deleteDataKeys(['k2']);
      expect(await vault.listDataKeys()).toEqual([b]);
    });

    it('lists every sealed value and replaces one only while it is as it was read', async () => {
      const { vault, config } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertAccount({ ...account, sealedCredential: 'tgv1.a.one' });
      await config.insertAccount({ ...account, id: 'a2', name: 'without' });
      await config.setSetting('vault_check', 'tgv1.a.two');
      await config.setSetting('other', 'not sealed');
      await config.setSetting('user_hash_root', 'tgv1.a.root');
      const at = { table: 'account', row: 'a1', column: 'credential' };
      const value = { at, text: 'tgv1.a.one' };
      const check = { at: { table: 'setting', row: 'vault_check', column: 'value' }, text: 'tgv1.a.two' };
      const root = { at: { ...check.at, row: 'user_hash_root' }, text: 'tgv1.a.root' };
      expect(await vault.listSealed()).toEqual([value, root, check]);
      expect(await vault.replaceSealed(value, 'tgv2.b.one')).toBe(true);
      expect(await vault.replaceSealed(value, 'tgv2.b.late')).toBe(false);
      expect(await vault.replaceSealed(check, 'tgv2.b.two')).toBe(true);
      expect(await vault.replaceSealed({ at: { ...at, table: 'setting' }, text: 'x' }, 'y')).toBe(false);
      expect((await config.listAccounts(null)).map((row) => row.sealedCredential)).toEqual([
        'tgv2.b.one',
        null,
      ]);
      expect(await config.getSetting('vault_check')).toBe('tgv2.b.two');
      expect(await vault.replaceSealed(root, 'tgv2.b.root')).toBe(true);
      expect(await config.getSetting('user_hash_root')).toBe('tgv2.b.root');
    });

    it('comes along in a backup, wrapped', async () => {
      const { vault, maintenance } = await bench.open('main');
      await vault.insertDataKeys([wrapping('k1', 'm1', 5)]);
      const dir = await mkdtemp(join(tmpdir(), 'tallygate-vault-'));
      try {
        const path = join(dir, 'copy.backup');
        await maintenance.backup(path);
        const elsewhere = await bench.target.fresh();
        await bench.engine.restore(elsewhere, path);
        const restored = await bench.open('main', elsewhere);
        expect(await restored.vault.listDataKeys()).toEqual([wrapping('k1', 'm1', 5)]);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    });
  });
}
