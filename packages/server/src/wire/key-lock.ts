import type { DataPaths } from '../config/data-paths.ts';
import { environment } from '../config/environment.ts';
import type { Config } from '../config/settings.ts';
import type { RandomBytes } from '../identity/token.ts';
import type { KeyLock } from '../vault/key-lock.ts';
import { createKeychainLock, systemKeychain } from '../vault/keychain-lock.ts';
import { createTokenLock } from '../vault/token-lock.ts';

/** Libraries of tokens find their settings through variables of their own; ours, which hold secrets, they do not get. */
const TOKEN_VARIABLES =
  /^(PATH|HOME|LANG|LC_\w+|TMPDIR|LD_LIBRARY_PATH|SystemRoot)$|PKCS11|SOFTHSM|HSM|OPENSC|NFAST|CHRYSTOKI/i;

function tokenEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment().env).flatMap(([name, value]) =>
      value !== undefined && TOKEN_VARIABLES.test(name) && !name.startsWith('TALLYGATE_')
        ? [[name, value]]
        : [],
    ),
  );
}

function lockOf(config: Config, randomBytes: RandomBytes): KeyLock | undefined {
  if (config.masterKeySource === 'keychain') return createKeychainLock(systemKeychain(), randomBytes);
  const { pkcs11Module: module, pkcs11Token: token, pkcs11Key: key, pkcs11Pin: pin } = config;
  if (
    config.masterKeySource !== 'pkcs11' ||
    module === null ||
    token === null ||
    key === null ||
    pin === null
  ) {
    return undefined;
  }
  return createTokenLock({ module, token, key, pin, env: tokenEnvironment() });
}

/** Where the master key is, and what locks it. */
export function masterKeyPlace(
  { config, paths }: { config: Config; paths: DataPaths },
  randomBytes: RandomBytes,
): { path: string; lock?: KeyLock; plainPath?: string } {
  const lock = lockOf(config, randomBytes);
  if (lock === undefined) return { path: paths.masterKey };
  return { path: paths.lockedMasterKey, lock, plainPath: paths.masterKey };
}
