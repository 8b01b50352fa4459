import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { environment, installationAt } from './environment.ts';
import { documentedSettings, explainConfig, settingFlags } from './explain-config.ts';
import { type LoadOptions, loadConfig } from './load-config.ts';
import { namesOf, SETTING_NAMES, type SettingName } from './settings.ts';

const { readFile } = environment();
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate config '));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function load(options: Partial<LoadOptions> = {}) {
  return loadConfig({ flags: {}, env: {}, cwd: dir, readFile, ...options });
}

function toml(text: string): void {
  writeFileSync(join(dir, 'tallygate.toml'), text);
}

function problemsOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('precedence', () => {
  it('uses the documented defaults when nothing is set', () => {
    const { config, provenance } = load();
    expect(config).toMatchObject({
      dataDir: join(dir, 'data'),
      host: '127.0.0.1',
      port: 4100,
      headless: false,
      maxBodyBytes: 33_554_432,
      connectTimeoutMs: 10_000,
      firstByteTimeoutMs: 600_000,
      idleTimeoutMs: 300_000,
      drainMaxMs: 30_000,
      drainMaxBytes: 16_777_216,
      shutdownGraceMs: 30_000,
      journalFsync: 'process',
      logLevel: 'info',
      masterKey: null,
    });
    expect(config.dbUrl.reveal()).toBe(`sqlite:${join(dir, 'data', 'tallygate.db')}`);
    expect(provenance.port).toEqual({ source: 'default', detail: 'default' });
  });

  it('lets a flag win over a variable, a variable over the file, the file over the default', () => {
    toml('port = 1\nhost = "::1"\nlog_level = "warn"\n');
    const { config, provenance } = load({
      flags: { port: '3' },
      env: { TALLYGATE_PORT: '2', PORT: '9', TALLYGATE_HOST: '127.0.0.2' },
    });
    expect(config).toMatchObject({ port: 3, host: '127.0.0.2', logLevel: 'warn' });
    expect(provenance.port).toEqual({ source: 'flag', detail: '--port' });
    expect(provenance.host).toEqual({ source: 'environment', detail: 'TALLYGATE_HOST' });
    expect(provenance.logLevel).toEqual({ source: 'file', detail: join(dir, 'tallygate.toml') });
    expect(provenance.headless.source).toBe('default');
  });

  it('prefers the primary variable to its aliases and ignores empty ones', () => {
    expect(load({ env: { TALLYGATE_PORT: '2', PORT: '9' } }).config.port).toBe(2);
    expect(load({ env: { TALLYGATE_PORT: '', PORT: '9' } }).config.port).toBe(9);
    expect(load({ env: { PORT: '' } }).config.port).toBe(4100);
  });

  it.each(['PORT', 'HOST', 'HEADLESS', 'DB_URL'])('accepts the plain variable %s', (variable) => {
    const value = { PORT: '8080', HOST: 'localhost', HEADLESS: 'true', DB_URL: 'postgres://u:p@h/db' }[
      variable
    ];
    const origins = Object.values(load({ env: { [variable]: value } }).provenance);
    expect(origins).toContainEqual({ source: 'environment', detail: variable });
  });

  it('accepts the seed of the first owner (TW-03)', () => {
    const { config } = load({
      env: { DASHBOARD_USERNAME: 'ada', DASHBOARD_PASSWORD: 'correct horse battery' },
    });
    expect(config.dashboardUsername).toBe('ada');
    expect(config.dashboardPassword?.reveal()).toBe('correct horse battery');
  });

  it('takes the window of a limit only together with the limit (CW-04)', () => {
    const both = { RATE_LIMIT_MAX_REQUESTS: '5', RATE_LIMIT_WINDOW_MS: '2000' };
    expect(load({ env: both }).config).toMatchObject({ rateLimitMaxRequests: 5, rateLimitWindowMs: 2_000 });
    expect(load({ env: { RATE_LIMIT_MAX_REQUESTS: '5' } }).config.rateLimitWindowMs).toBe(60_000);
    const problem = problemsOf(() => load({ env: { RATE_LIMIT_WINDOW_MS: '60000' } }));
    expect(problem).toContain('environment variable RATE_LIMIT_WINDOW_MS) is set');
    expect(problem).toContain('Set RATE_LIMIT_MAX_REQUESTS as well');
    expect(() => load({ flags: { rateLimitWindowMs: 60_000 } })).toThrow(/rateLimitMaxRequests is not/);
  });

  it('takes a session secret of 32 bytes or more, and nothing short or repeated (TW-02)', () => {
    const good = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=';
    expect(load({ env: { DASHBOARD_SESSION_SECRET: good } }).config.sessionSecret?.reveal()).toBe(good);
    for (const bad of ['change_me', good.slice(0, 31), 'a'.repeat(64), 'changeme'.repeat(8)]) {
      expect(() => load({ env: { DASHBOARD_SESSION_SECRET: bad } })).toThrow(/32 random bytes/);
    }
  });

  it('gives every setting one origin per channel it allows, and only those', () => {
    for (const name of SETTING_NAMES) {
      const names = namesOf(name);
      expect(names.env[0]).toBe(`TALLYGATE_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`);
    }
    expect(namesOf('maxBodyBytes')).toEqual({
      flag: '--max-body-bytes',
      env: ['TALLYGATE_MAX_BODY_BYTES'],
      toml: 'max_body_bytes',
    });
  });
});

describe('paths', () => {
  it('resolves a path in a flag or variable from the working directory, one in the file from the file', () => {
    mkdirSync(join(dir, 'etc'));
    writeFileSync(join(dir, 'etc', 'gate.toml'), 'data_dir = "state"\ndb_url = "sqlite:own.db"\n');
    const fromFile = load({ flags: { config: 'etc/gate.toml' } }).config;
    expect(fromFile.dataDir).toBe(join(dir, 'etc', 'state'));
    expect(fromFile.dbUrl.reveal()).toBe(`sqlite:${join(dir, 'etc', 'own.db')}`);
    expect(load({ flags: { dataDir: 'here' } }).config.dataDir).toBe(join(dir, 'here'));
    const { config } = load({ env: { DB_URL: 'sqlite:./x.db', TALLYGATE_DATA_DIR: '/srv/t' } });
    expect([config.dbUrl.reveal(), config.dataDir]).toEqual([`sqlite:${join(dir, 'x.db')}`, '/srv/t']);
  });

  it('keeps absolute and in-memory database files as they are', () => {
    const urls = ['sqlite:/a/b.db', 'sqlite:///a/b.db', 'sqlite::memory:'];
    const revealed = urls.map((url) => load({ env: { DB_URL: url } }).config.dbUrl.reveal());
    expect(revealed).toEqual(['sqlite:/a/b.db', 'sqlite:/a/b.db', 'sqlite::memory:']);
  });

  it('puts the default database into the data directory in force', () => {
    const { config } = load({ flags: { dataDir: '/srv/gate' } });
    expect(config.dbUrl.reveal()).toBe('sqlite:/srv/gate/tallygate.db');
  });

  it('keeps data in a clone, but with the user when installed as a package', () => {
    expect(installationAt('/home/a/tallygate/', {}, '/home/a')).toEqual({
      defaultDataDir: '/home/a/tallygate/data',
      defaultConfigFile: '/home/a/tallygate/tallygate.toml',
    });
    const root = '/usr/lib/node_modules/tallygate/';
    expect(installationAt(root, {}, '/home/a').defaultDataDir).toBe('/home/a/.local/share/tallygate');
    expect(installationAt(root, { XDG_CONFIG_HOME: '/cfg' }, '/home/a').defaultConfigFile).toBe(
      '/cfg/tallygate/tallygate.toml',
    );
  });
});

describe('mistakes', () => {
  it.each([
    ['a variable', { env: { TALLYGATE_PROT: '1' } }, 'TALLYGATE_PROT', 'Did you mean TALLYGATE_PORT?'],
    ['a flag', { flags: { dataDri: 'x' } }, '--dataDri', 'Did you mean --data-dir?'],
    ['a flag with no like', { flags: { wibblewobble: 'x' } }, '--wibblewobble', 'docs/settings.md'],
    ['a variable with no like', { env: { TALLYGATE_WIBBLE_WOBBLE: '1' } }, 'WIBBLE', 'docs/settings.md'],
  ])('refuses %s that is no setting', (_what, options, named, fix) => {
    const message = problemsOf(() => load(options));
    expect(message).toContain(named);
    expect(message).toContain(fix);
  });

  it.each([
    ['prot = 1', 'port'],
    ['maxBodyByte = 1', 'max_body_bytes'],
    ['data-dir = "x"', 'data_dir'],
  ])('refuses the key of %s and suggests %s', (line, wanted) => {
    toml(line);
    expect(problemsOf(() => load())).toContain(`Did you mean ${wanted}?`);
  });

  it('refuses a table in the file', () => {
    toml('[server]\nport = 1\n');
    expect(problemsOf(() => load())).toContain('"server"');
  });

  it('leaves variables of other programs and of the test suite alone', () => {
    const env = { TALLYGATE_TEST_POSTGRES_URL: 'x', PORTS: '1', TALLY: '1' };
    expect(load({ env }).config.port).toBe(4100);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a port above 65535', { PORT: '70000' }, 'whole number from 0 to 65535'],
    ['a negative port', { PORT: '-1' }, 'PORT'],
    ['a port with a unit', { PORT: '80a' }, '"80a"'],
    ['a decimal number', { TALLYGATE_IDLE_TIMEOUT_MS: '1.5e3' }, 'digits only'],
    ['another word for a switch', { HEADLESS: 'maybe' }, 'true or false'],
    ['a URL as the host', { HOST: 'http://127.0.0.1' }, 'without scheme'],
    ['a host with a port', { HOST: '127.0.0.1:80' }, 'without scheme'],
    ['another log level', { TALLYGATE_LOG_LEVEL: 'trace' }, 'one of debug, info'],
    ['a short master key', { TALLYGATE_MASTER_KEY: 'c2hvcnQ=' }, '32 bytes'],
    ['a body limit of nothing', { TALLYGATE_MAX_BODY_BYTES: '0' }, 'from 1024 to'],
    [
      'idle sessions that outlive the session',
      { TALLYGATE_SESSION_IDLE_MS: '2000000000' },
      'sessionAbsoluteMs',
    ],
    ['a short API key (TW-06)', { TALLYGATE_API_KEY: 'a'.repeat(31) }, '32 to 512'],
    ['a repetitive API key (TW-06)', { TOKENWATCHER_API_KEY: 'ab'.repeat(20) }, '32 to 512'],
    ['an API key with a blank (TW-06)', { TALLYGATE_API_KEY: `${'abcdefghij'.repeat(4)} x` }, '32 to 512'],
    ['a name without a password', { DASHBOARD_USERNAME: 'ada' }, 'Only the name'],
    ['a password without a name', { DASHBOARD_PASSWORD: 'pw' }, 'Only the password'],
  ])('refuses %s and says what, why and how', (_what, env, part) => {
    const message = problemsOf(() => load({ env }));
    expect(message).toContain(part);
    expect(message).toMatch(/\n {2}Why: .+\n {2}Fix: .+/);
  });

  it('takes a number as a number and a switch as a switch in the file', () => {
    toml('port = 8080\nheadless = true\n');
    expect(load().config).toMatchObject({ port: 8080, headless: true });
    toml('port = "http"\n');
    expect(problemsOf(() => load())).toContain('"http"');
    toml('port = [1]\n');
    expect(problemsOf(() => load())).toContain('port');
  });

  it('names every mistake at once', () => {
    toml('hots = "a"\n');
    const message = problemsOf(() => load({ env: { PORT: 'x', TALLYGATE_HEDLESS: '1' } }));
    for (const part of ['hots', 'PORT', 'TALLYGATE_HEDLESS']) expect(message).toContain(part);
  });

  it('reads secrets from the environment only, and says so', () => {
    toml('master_key = "c2VjcmV0"\n');
    const message = problemsOf(() => load());
    expect(message).toContain('TALLYGATE_MASTER_KEY');
    expect(message).not.toContain('c2VjcmV0');
    expect(problemsOf(() => load({ flags: { dashboardPassword: 'hunter2hunter2' } }))).not.toContain(
      'hunter2',
    );
  });

  it('says where a broken file is broken without quoting it', () => {
    toml('port = 1\ndb_url = "postgres://u:hunter2@h/db\n');
    const message = problemsOf(() => load());
    expect(message).toContain('Line 2');
    expect(message).not.toContain('hunter2');
  });

  it('refuses a named file that does not exist, a folder, and one that is far too large', () => {
    expect(problemsOf(() => load({ flags: { config: 'none.toml' } }))).toContain('no such file');
    expect(problemsOf(() => load({ env: { TALLYGATE_CONFIG: dir } }))).toContain('not a file');
    toml(`# ${'x'.repeat(1024 * 1024)}\n`);
    expect(problemsOf(() => load())).toContain('larger than');
  });
});

describe('secrets', () => {
  const env = {
    DB_URL: 'postgres://gate:hunter2@db.example:5432/gate?sslmode=require&sslpassword=hunter3',
    DASHBOARD_USERNAME: 'ada',
    DASHBOARD_PASSWORD: 'hunter4hunter4',
    TALLYGATE_MASTER_KEY: 'hunter5'.padEnd(43, 'A'),
  };

  it('never print, neither the configuration nor its explanation', () => {
    const loaded = load({ env });
    const printed = [
      inspect(loaded, { depth: 9 }),
      JSON.stringify(loaded),
      JSON.stringify(explainConfig(loaded)),
    ];
    for (const text of printed) expect(text).not.toContain('hunter');
    const byName = new Map(explainConfig(loaded).map((row) => [row.name, row.value]));
    expect(byName.get('dbUrl')).toBe(
      'postgres://gate:****@db.example:5432/gate?sslmode=require&sslpassword=****',
    );
    expect(byName.get('dashboardPassword')).toBe('(set, hidden)');
  });

  it('are not quoted when they do not hold', () => {
    const message = problemsOf(() => load({ env: { DB_URL: 'hunter2', TALLYGATE_MASTER_KEY: 'hunter3' } }));
    expect(message).not.toContain('hunter');
  });

  it('mask a password however odd it is', () => {
    const password = fc
      .string({ minLength: 8, maxLength: 20 })
      .map((text) => encodeURIComponent(`zq${text}`));
    fc.assert(
      fc.property(password, (secret) => {
        const loaded = load({ env: { DB_URL: `postgres://u:${secret}@h/db` } });
        expect(JSON.stringify(explainConfig(loaded))).not.toContain(secret);
      }),
    );
  });
});

describe('tables for others', () => {
  it('explain every setting, with its origin', () => {
    const rows = explainConfig(load({ env: { PORT: '1' } }));
    expect(rows.map((row) => row.name)).toEqual(SETTING_NAMES);
    expect(rows.find((row) => row.name === 'port')).toMatchObject({
      value: '1',
      source: 'environment',
      detail: 'PORT',
      flag: '--port',
    });
  });

  it('offer a flag for every setting but the secrets of the environment', () => {
    const without = SETTING_NAMES.filter((name) => !settingFlags().some((flag) => flag.name === name));
    expect(without).toEqual<SettingName[]>([
      'masterKey',
      'pkcs11Pin',
      'dashboardUsername',
      'dashboardPassword',
      'apiKey',
      'nodeEnv',
      'sessionSecret',
      'oidcClientSecret',
    ]);
    expect(settingFlags().find((flag) => flag.name === 'port')?.option).toBe('--port <number>');
    expect(settingFlags().find((flag) => flag.name === 'headless')?.option).toBe('--headless [true|false]');
  });

  it('document every default as the value that is really used', () => {
    const { config } = load();
    for (const row of documentedSettings()) {
      if (row.defaultText.startsWith('`') && !row.defaultText.includes(' ')) {
        expect(row.defaultText).toBe(`\`${config[row.name]}\``);
      }
    }
  });
});

describe('network settings', () => {
  it.each([
    [{ TRUSTED_PROXIES: '10.0.0.0/8, ::1 ' }, { trustedProxies: ['10.0.0.0/8', '::1'] }],
    [{ ADMIN_LISTEN: '[::1]:4101' }, { adminListen: { host: '::1', port: 4101 } }],
    [{ ADMIN_LISTEN: 'localhost:0' }, { adminListen: { host: 'localhost', port: 0 } }],
    [
      { EGRESS_ALLOW_HOSTS: 'gpu.internal:8000,10.1.0.0/16' },
      { egressAllowHosts: ['gpu.internal:8000', '10.1.0.0/16'] },
    ],
    [
      { CORS_ORIGIN: 'https://app.example,http://localhost:5173' },
      { corsAllowedOrigins: ['https://app.example', 'http://localhost:5173'] },
    ],
    [{ CORS_ALLOWED_ORIGINS: '*' }, { corsAllowedOrigins: ['*'] }],
    [{ ALLOWED_HOSTS: 'gate.example' }, { allowedHosts: ['gate.example'] }],
    [{ PUBLIC_URL: 'https://gate.example' }, { publicUrl: 'https://gate.example' }],
    [{ CSP_CONNECT_SRC: 'https://a.example' }, { cspConnectSrc: ['https://a.example'] }],
    [{ TLS_CERT_FILE: 'a.pem', TLS_KEY_FILE: '/k.pem' }, { tlsKeyFile: '/k.pem' }],
  ])('takes %j', (env, expected) => expect(load({ env }).config).toMatchObject(expected));

  it('takes lists from the file', () => {
    toml('trusted_proxies = ["10.0.0.1", "10.0.0.2"]\n');
    expect(load().config.trustedProxies).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it.each([
    [{ TRUSTED_PROXIES: 'nginx' }, /trustedProxies/],
    [{ ADMIN_LISTEN: '4101' }, /adminListen/],
    [{ ADMIN_LISTEN: '::1:4101' }, /adminListen/],
    [{ ADMIN_LISTEN: 'localhost:70000' }, /adminListen/],
    [{ ADMIN_LISTEN: 'http://localhost:1' }, /adminListen/],
    [{ ADMIN_LISTEN: '127.0.0.1:4100', PORT: '4100' }, /port of the public listener/],
    [{ ADMIN_ALLOWED_ADDRESSES: 'office' }, /adminAllowedAddresses/],
    [{ TRUSTED_PROXIES: '0.0.0.0/0' }, /every address/],
    [{ TRUSTED_PROXIES: '::/0' }, /every address/],
    [{ EGRESS_ALLOW_HOSTS: 'http://gpu.internal' }, /egressAllowHosts/],
    [{ EGRESS_ALLOW_HOSTS: '*' }, /egressAllowHosts/],
    [{ EGRESS_ALLOW_HOSTS: 'a', EGRESS_ALLOW_PRIVATE: 'never' }, /would be ignored/],
    [{ ALLOWED_HOSTS: 'gate.example:443' }, /allowedHosts/],
    [{ CORS_ALLOWED_ORIGINS: 'https://app.example/' }, /corsAllowedOrigins/],
    [{ CORS_ALLOWED_ORIGINS: 'app.example' }, /corsAllowedOrigins/],
    [{ CORS_ALLOWED_ORIGINS: '*', HOST: '0.0.0.0' }, /every web site/],
    [{ CORS_ALLOWED_ORIGINS: '*,https://app.example' }, /every web site/],
    [{ PUBLIC_URL: 'https://gate.example/dashboard' }, /publicUrl/],
    [{ PUBLIC_URL: 'javascript:alert(1)' }, /publicUrl/],
    [{ CSP_CONNECT_SRC: '*' }, /cspConnectSrc/],
    [{ CSP_CONNECT_SRC: "https://a.example; script-src 'unsafe-inline'" }, /cspConnectSrc/],
    [{ CSP_CONNECT_SRC: 'https://*.example' }, /cspConnectSrc/],
    [{ TLS_CERT_FILE: 'a.pem' }, /Only the certificate/],
    [{ TLS_KEY_FILE: 'a.pem' }, /Only the private key/],
    [{ HTTP_REDIRECT_PORT: '80' }, /no https to redirect to/],
    [{ TALLYGATE_HEADERS_TIMEOUT_MS: '5000', TALLYGATE_REQUEST_TIMEOUT_MS: '4000' }, /part of the request/],
  ])('refuses %j (CW-05, TW-18)', (env, words) => {
    expect(problemsOf(() => load({ env }))).toMatch(words);
  });
});
