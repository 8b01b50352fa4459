import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** True when all programs are there. @throws Error when `REQUIRE` names `what` and one is missing */
function present(what: string, programs: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const missing = programs.filter(
    (name) => !(env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length === 0) return true;
  if ((env.REQUIRE ?? '').split(',').includes(what)) {
    throw new Error(`REQUIRE=${what}, but ${missing.join(' and ')} is not installed.`);
  }
  return false;
}

const SOFTHSM_MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
];

/** The library of SoftHSM; null where it is not installed and nobody insists. */
export function softHsmModule(env: NodeJS.ProcessEnv = process.env): string | null {
  if (!present('pkcs11', ['softhsm2-util', 'pkcs11-tool'], env)) return null;
  return SOFTHSM_MODULES.find((path) => existsSync(path)) ?? null;
}

/** True where a Secret Service can be started for a test alone. */
export function secretServiceFound(env: NodeJS.ProcessEnv = process.env): boolean {
  return present('keychain', ['dbus-run-session', 'gnome-keyring-daemon'], env);
}

/**
 * Put before a command: it runs in a session of its own, with GNOME Keyring unlocked in it. What the keychain keeps
 * lies under the HOME of its environment, and so does `command.pid`: signals to the session do not reach the command.
 */
export const IN_KEYCHAIN_SESSION = [
  'dbus-run-session',
  '--',
  'bash',
  '-c',
  'printf keychain-password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; echo $$ >"$HOME/command.pid"; exec "$@"',
  'in-keychain-session',
] as const;

export interface SoftToken {
  module: string;
  token: string;
  key: string;
  pin: string;
  /** What the library needs of the environment. */
  env: Record<string, string>;
  /** Makes another token in the same place, with a key of the same label. */
  another(label: string): void;
}

/** A PKCS#11 token in software, with an RSA key pair on it. */
export function createSoftToken(module: string, dir: string): SoftToken {
  const tokens = join(dir, 'tokens');
  mkdirSync(tokens, { recursive: true });
  const conf = join(dir, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const [token, key, pin] = ['gate', 'tallygate', '7294-canary-of-the-pin'];
  const env = { PATH: process.env.PATH ?? '', SOFTHSM2_CONF: conf };
  const run = (program: string, args: string[]): void => {
    execFileSync(program, args, { env: { ...env, PIN: pin }, stdio: 'pipe' });
  };
  const make = (label: string): void => {
    run('softhsm2-util', ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', '12345678']);
    const login = ['--module', module, '--token-label', label, '--login', '--pin', 'env:PIN'];
    run('pkcs11-tool', [...login, '--keypairgen', '--key-type', 'rsa:2048', '--label', key, '--id', '01']);
  };
  make(token);
  return { module, token, key, pin, env, another: make };
}
