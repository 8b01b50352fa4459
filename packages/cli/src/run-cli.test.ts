import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from './command-table.ts';
import { runCli } from './run-cli.ts';

async function run(args: readonly string[], options: Parameters<typeof recordingTerminal>[0] = {}) {
  const terminal = recordingTerminal(options);
  const code = await runCli(args, terminal);
  return { code, ...terminal.written };
}

describe('help', () => {
  it.each([[[]], [['--help']], [['help']]])('%j lists every command on standard output', async (args) => {
    const { code, out, error } = await run(args);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    for (const word of new Set(Object.keys(COMMANDS).map((name) => name.split(' ')[0]))) {
      expect(out).toContain(`  ${word}`);
    }
    expect(out).toContain('Exit codes: 0 done');
  });

  it.each(Object.keys(COMMANDS))('%s --help explains it with an example', async (name) => {
    const { code, out } = await run([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: tallygate ${name}`);
    expect(out).toContain('Examples:');
    expect(out).toContain('--data-dir');
  });

  it('start offers the settings of the server', async () => {
    expect((await run(['start', '--help'])).out).toContain('--port <number>');
  });

  it('help for a verb', async () => {
    expect((await run(['help', 'keys'])).out).toContain('Create an API key');
  });

  it('a noun without a verb is a mistake', async () => {
    const { code, out, error } = await run(['keys']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain('Create an API key');
  });
});

describe('mistakes', () => {
  it.each([
    [['kyes', 'list'], 'Did you mean keys?'],
    [['keys', 'lst'], 'Did you mean list?'],
    [['keys', 'create', '--nmae', 'x'], 'Did you mean --name?'],
    [['start', '--prot', '1'], 'Did you mean --port?'],
    [['usage', '--group', 'modle'], 'Did you mean model?'],
    [['connect', 'claude'], 'Did you mean claude-code?'],
  ])('%j names what was meant', async (args, fix) => {
    const { code, out, error } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain(fix);
  });

  it.each([
    [['keys', 'create'], '--name is missing'],
    [['accounts', 'add'], 'PROVIDER is missing'],
    [['keys', 'list', 'extra'], 'takes 0 arguments, not 1'],
    [['keys', 'create', '--name', ''], '--name is empty'],
    [['keys', 'create', '--name'], 'argument missing'],
    [['usage', '--range', '1d', '--since', '2d'], 'exclude each other'],
    [['usage', '--since', '1h', '--until', '2h'], 'The range is empty'],
    [['requests', '--limit', '0'], 'whole number'],
    [['requests', '--follow', '--until', '1h'], 'leave out --until'],
    [['price', '--provider', 'x', '--model', 'y', '--answer-json', '{'], 'not valid JSON'],
    [['price', '--provider', 'x', '--model', 'y', '--answer-json', '@/nonexistent'], 'not there'],
    [['connect', 'curl', '--write'], 'only claude-code'],
    [['connect', 'claude-code', '--write'], 'no key to write'],
    [['start', '--server', 'https://x'], 'leave out --server'],
    [['usage', '--server', 'http://gate.example.com'], 'https'],
    [
      ['accounts', 'add', 'openai', '--name', 'x', '--api-key-env', 'A', '--api-key-stdin'],
      'exclude each other',
    ],
  ])('%j is a usage error', async (args, text) => {
    const { code, out, error } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain(text);
  });

  it('with --json is one line of JSON on standard error, wherever --json stands', async () => {
    for (const args of [
      ['--json', 'keys', 'create', '--nmae', 'x'],
      ['keys', 'create', '--nmae', 'x', '--json'],
      ['keys', '--json'],
    ]) {
      const { code, out, error } = await run(args);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(error.endsWith('}\n') && error.split('\n')).toHaveLength(2);
      expect(JSON.parse(error)).toMatchObject({
        error: { code: 'usage_error', message: expect.any(String) },
      });
    }
  });

  it('reports every wrong setting, and is exit code 2', async () => {
    const { code, error } = await run(['config', 'explain', '--port', 'abc', '--json'], {
      env: { TALLYGATE_HOTS: '0.0.0.0' },
    });
    expect(code).toBe(2);
    const body = JSON.parse(error).error;
    expect(body.code).toBe('invalid_configuration');
    expect(JSON.stringify(body.details)).toContain('TALLYGATE_HOTS');
    expect(body.details).toHaveLength(2);
  });
});

describe('secrets', () => {
  const SECRET = 'sk-ant-api03-verysecret';
  it.each([
    [['accounts', 'add', 'anthropic', '--name', 'a', `--api-key=${SECRET}`]],
    [['accounts', 'add', 'anthropic', '--name', 'a', '--api-key', SECRET]],
    [['accounts', 'add', 'anthropic', '--name', 'a', '--api-key-env', SECRET]],
    [['accounts', 'add', 'anthropic', '--name', 'a', `--api-kye=${SECRET}`]],
    [['accounts', 'add', 'anthropic', SECRET, '--name', 'a']],
    [['usage', '--admin-key-env', SECRET]],
    [['usage', '--server', `https://user:${SECRET}@example.com`]],
  ])('%j never echoes the key', async (args) => {
    for (const format of [[], ['--json']]) {
      const { code, out, error } = await run([...args, ...format]);
      expect(code).toBe(2);
      expect(out + error).not.toContain('verysecret');
      expect(error).not.toBe('');
    }
  });

  it('config explain masks them', async () => {
    const env = {
      TALLYGATE_DB_URL: `postgres://tally:${SECRET}@db.example.com/tally`,
      DASHBOARD_USERNAME: 'owner',
      DASHBOARD_PASSWORD: SECRET,
    };
    for (const format of [[], ['--json']]) {
      const { code, out } = await run(['config', 'explain', ...format], { env });
      expect(code).toBe(0);
      expect(out).not.toContain('verysecret');
      expect(out).toContain('db.example.com');
    }
  });
});

describe('config explain', () => {
  it('shows value, source and how to set it (WT-10)', async () => {
    const { out } = await run(['config', 'explain', '--port', '8080', '--json'], {
      env: { HOST: '127.0.0.2' },
    });
    const settings: { name: string; value: string; source: string; detail: string }[] =
      JSON.parse(out).settings;
    expect(settings.find(({ name }) => name === 'port')).toMatchObject({
      value: '8080',
      source: 'flag',
      detail: '--port',
    });
    expect(settings.find(({ name }) => name === 'host')).toMatchObject({
      source: 'environment',
      detail: 'HOST',
    });
  });

  it('is not disturbed by the variable that holds the admin key', async () => {
    const env = { TALLYGATE_ADMIN_KEY: 'x', TALLYGATE_OTHER_ADMIN: 'y' };
    expect((await run(['config', 'explain', '--admin-key-env', 'TALLYGATE_OTHER_ADMIN'], { env })).code).toBe(
      0,
    );
  });
});

describe('version', () => {
  it('prints the version', async () => {
    expect(JSON.parse((await run(['version', '--json'])).out)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      runtime: expect.stringContaining('Node.js'),
    });
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/);
  });
});
