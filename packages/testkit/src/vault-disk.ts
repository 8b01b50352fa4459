import type { WrappedDataKey } from '@tallygate/server/vault/keyring';
import type { SealedValue, VaultStorage } from '@tallygate/server/vault/vault-storage';

/** Where the values of a `VaultDisk` live. */
export const credentialAt = (row: string) => ({ table: 'account', row, column: 'credential' });

/** What a store holds, in memory; it outlives the processes of a test. After `writesLeft` writes it stops working. */
export class VaultDisk {
  readonly values = new Map<string, string>();
  readonly settings = new Map<string, string>();
  keys: WrappedDataKey[] = [];
  writesLeft = Number.POSITIVE_INFINITY;
  beforeReplace: (value: SealedValue) => void = () => undefined;

  #write(change: () => void): void {
    if (this.writesLeft <= 0) throw new Error('killed');
    this.writesLeft -= 1;
    change();
  }

  readonly settingStore = {
    getSetting: async (name: string) => this.settings.get(name) ?? null,
    setSetting: async (name: string, value: string) => this.#write(() => this.settings.set(name, value)),
  };

  readonly storage: VaultStorage = {
    listDataKeys: async () => [...this.keys],
    insertDataKeys: async (rows) =>
      this.#write(() => {
        const known = (row: WrappedDataKey) =>
          this.keys.some((key) => key.id === row.id && key.masterKeyId === row.masterKeyId);
        this.keys.push(...rows.filter((row) => !known(row)));
      }),
    deleteDataKeys: async (ids) =>
      this.#write(() => {
        this.keys = this.keys.filter((key) => !ids.includes(key.id));
      }),
    deleteWrappings: async (ids) =>
      this.#write(() => {
        this.keys = this.keys.filter((key) => !ids.includes(key.masterKeyId));
      }),
    listSealed: async () => {
      const check = this.settings.get('vault_check');
      const setting = { table: 'setting', row: 'vault_check', column: 'value' };
      return [
        ...[...this.values].map(([row, text]) => ({ at: credentialAt(row), text })),
        ...(check === undefined ? [] : [{ at: setting, text: check }]),
      ];
    },
    replaceSealed: async (value, text) => {
      this.beforeReplace(value);
      const map = value.at.table === 'setting' ? this.settings : this.values;
      if (map.get(value.at.row) !== value.text) return false;
      this.#write(() => map.set(value.at.row, text));
      return true;
    },
  };
}
