import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCli } from '@tallygate/cli/run-cli';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let provider: FakeOauth;
let gate: Gate;

beforeAll(async () => {
  provider = await startFakeOauth();
  gate = await startGate({
    config: {
      TALLYGATE_OAUTH_ACCOUNTS: 'true',
      TALLYGATE_OAUTH_AUTHORIZE_URL: provider.authorizeUrl,
      TALLYGATE_OAUTH_TOKEN_URL: provider.tokenUrl,
      TALLYGATE_OAUTH_CLIENT_ID: 'my-own-client',
    },
  });
});
afterAll(async () => {
  await gate.stop();
  await provider.stop();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs the command; `agree` is what a person does with the address that it prints. */
async function run(args: readonly string[], agree: (back: URL) => Promise<unknown> = async () => undefined) {
  const terminal = recordingTerminal();
  const opened = (): Promise<URL> =>
    eventually('the address to open', async () => {
      const url = /http\S+code_challenge\S+/.exec(terminal.written.error)?.[0];
      return url === undefined ? null : provider.agree(url);
    });
  const pasting = { ...terminal, readLine: async () => (await opened()).href };
  const local = args.some((arg) => arg.startsWith('http://127.0.0.1'));
  const running = runCli([...args, '--json', '--data-dir', gate.dataDir], local ? terminal : pasting);
  if (local) await agree(await opened());
  const code = await running;
  return { code, ...terminal.written };
}

const ADD = ['accounts', 'add', 'anthropic', '--oauth', '--allow-private-upstream'];

describe('signing in from the command line (CF-03)', () => {
  it('waits for the browser on a port of this machine, and takes nothing but the code', async () => {
    const redirect = `http://127.0.0.1:${await freePort()}/callback`;
    const args = [...ADD, '--name', 'team', '--terms-read', '--redirect-uri', redirect];
    const { code, out, error } = await run(args, async (back) => {
      expect((await fetch(new URL('/other', redirect))).status).toBe(404);
      expect((await fetch(redirect)).status).toBe(200); // a browser that looks for nothing in particular
      expect((await fetch(back)).status).toBe(200);
    });
    expect([code, JSON.parse(out)]).toMatchObject([0, { name: 'team', oauth: { reauthReason: null } }]);
    expect(error).toContain('Open this address');
  });

  it('takes a pasted address, and signs the account in again', async () => {
    const redirect = ['--redirect-uri', 'https://gate.example.com/done'];
    const made = await run([...ADD, '--name', 'pasted', '--terms-read', ...redirect]);
    expect([made.code, JSON.parse(made.out)]).toMatchObject([0, { name: 'pasted' }]);
    const again = await run(['accounts', 'login', 'pasted', '--terms-read']);
    expect([again.code, JSON.parse(again.out)]).toMatchObject([0, { name: 'pasted', condition: 'ready' }]);
  });

  it('shows the notice before anything else, and refuses an API key beside it', async () => {
    const unread = await run([...ADD, '--name', 'x']);
    expect([unread.code, unread.error]).toEqual([2, expect.stringContaining('The terms of some providers')]);
    const both = await run([...ADD, '--name', 'x', '--terms-read', '--api-key-env', 'HOME']);
    expect([both.code, both.error]).toEqual([2, expect.stringContaining('exclude each other')]);
  });

  it('says why when the provider refuses', async () => {
    const redirect = `http://127.0.0.1:${await freePort()}/callback`;
    const args = [...ADD, '--name', 'refused', '--terms-read', '--redirect-uri', redirect];
    const { code, error } = await run(args, (back) => fetch(`${back.origin}/callback?error=access_denied`));
    expect([code, error]).toEqual([1, expect.stringContaining('access_denied')]);
  });
});
