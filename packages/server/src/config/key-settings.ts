import type { Secret } from '../kernel/secret.ts';
import type { ConfigProblem } from './config-error.ts';
import { file } from './network-kinds.ts';
import { oneOf, secretText, setting, text } from './setting.ts';
import type { Config } from './settings.ts';

/** Where the master key is kept when the environment does not hold it. */
export const KEY_SETTINGS = {
  masterKeySource: setting<'file' | 'keychain' | 'pkcs11'>({
    kind: oneOf(['file', 'keychain', 'pkcs11']),
    default: 'file',
    group: 'Storage',
    doc: 'What protects the file of the master key: file = its permissions alone; keychain = the keychain of the account; pkcs11 = a key on a token (HSM) that never leaves it.',
  }),
  pkcs11Module: setting<string | null>({
    kind: file(),
    default: null,
    defaultDoc: 'not set',
    group: 'Storage',
    doc: 'Library of the PKCS#11 token, such as /usr/lib/softhsm/libsofthsm2.so.',
  }),
  pkcs11Token: setting<string | null>({
    kind: text(32),
    default: null,
    defaultDoc: 'not set',
    group: 'Storage',
    doc: 'Label of the token.',
  }),
  pkcs11Key: setting<string | null>({
    kind: text(200),
    default: null,
    defaultDoc: 'not set',
    group: 'Storage',
    doc: 'Label of the RSA key pair on the token that locks the master key.',
  }),
  pkcs11Pin: setting<Secret | null>({
    kind: secretText(256),
    default: null,
    defaultDoc: 'not set',
    group: 'Storage',
    channels: ['environment'],
    doc: 'PIN of the token; handed to the token program in its environment, never as an argument.',
  }),
};

const TOKEN_SETTINGS = ['pkcs11Module', 'pkcs11Token', 'pkcs11Key', 'pkcs11Pin'] as const;

/** Settings of the master key that cannot all be meant. */
export function keyContradictions(config: Config): ConfigProblem[] {
  const set = TOKEN_SETTINGS.filter((name) => config[name] !== null);
  const problems: ConfigProblem[] = [];
  if (config.masterKeySource !== 'file' && config.masterKey !== null) {
    problems.push({
      what: `masterKeySource is "${config.masterKeySource}", but the environment holds a master key as well.`,
      why: 'Only one of them can be in force.',
      fix: 'Remove TALLYGATE_MASTER_KEY, or masterKeySource.',
    });
  }
  if (config.masterKeySource === 'pkcs11' && set.length < TOKEN_SETTINGS.length) {
    const missing = TOKEN_SETTINGS.filter((name) => config[name] === null).join(', ');
    problems.push({
      what: `masterKeySource is "pkcs11", but ${missing} is not set.`,
      why: 'The key on the token cannot be found and used without it.',
      fix: 'Set pkcs11Module, pkcs11Token, pkcs11Key and, in the environment, TALLYGATE_PKCS11_PIN.',
    });
  }
  if (config.masterKeySource !== 'pkcs11' && set.length > 0) {
    problems.push({
      what: `${set.join(', ')} is set, but masterKeySource is "${config.masterKeySource}".`,
      why: 'The token would not be used.',
      fix: 'Set masterKeySource to "pkcs11", or remove the settings of the token.',
    });
  }
  return problems;
}
