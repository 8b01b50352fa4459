import type { WrappedDataKey } from './keyring.ts';
import type { SealContext } from './vault.ts';

/** A sealed text and where it lives. */
export interface SealedValue {
  at: SealContext;
  text: string;
}

/** What the vault needs of the store. */
export interface VaultStorage {
  listDataKeys(): Promise<WrappedDataKey[]>;
  insertDataKeys(rows: readonly WrappedDataKey[]): Promise<void>;
  deleteDataKeys(ids: readonly string[]): Promise<void>;
  deleteWrappings(masterKeyIds: readonly string[]): Promise<void>;
  listSealed(): Promise<SealedValue[]>;
  replaceSealed(value: SealedValue, text: string): Promise<boolean>;
}
