/** A data key as it is stored: wrapped by one master key. The same data key may have several such rows. */
export interface WrappedDataKeyRow {
  /** Of the data key: 16 hexadecimal digits. */
  id: string;
  masterKeyId: string;
  wrapped: string;
  createdAtMs: number;
}

/** The setting that holds the sealed value behind hashes of user ids. */
export const USER_HASH_SETTING = 'user_hash_root';

/** A sealed text and where it lives; `at` is what the vault binds it to. */
export interface SealedValueRow {
  at: { table: string; row: string; column: string };
  text: string;
}

/** What the vault keeps in the store, and every sealed value there is. */
export interface VaultStore {
  listDataKeys(): Promise<WrappedDataKeyRow[]>;
  /** One transaction; rows that exist stay as they are. */
  insertDataKeys(rows: readonly WrappedDataKeyRow[]): Promise<void>;
  /** Removes every wrapping of these data keys. */
  deleteDataKeys(ids: readonly string[]): Promise<void>;
  /** Removes the wrappings by these master keys. */
  deleteWrappings(masterKeyIds: readonly string[]): Promise<void>;
  /** Every value that is, or should be, sealed. */
  listSealed(): Promise<SealedValueRow[]>;
  /** Puts `text` in the place of a value that is still as it was read; false when it changed in between. */
  replaceSealed(value: SealedValueRow, text: string): Promise<boolean>;
}
