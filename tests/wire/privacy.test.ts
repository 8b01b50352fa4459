import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnCli } from '@tallygate/testkit/cli-process';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { describe, expect, it } from 'vitest';

const SESSION = '0f9c7a52-1111-4222-8333-planted00001';
const SESSION_HEADER: [string, string][] = [['x-claude-code-session-id', SESSION]];
const TAG = 'customer-planted-17';

/** Names of the files below a folder that hold this text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(text)) found.push(path.slice(folder.length + 1));
  }
  return found;
}

async function inWorld(config: Record<string, string>, work: (world: WireWorld) => Promise<void>) {
  const world = await startWireWorld({ config });
  try {
    await work(world);
  } finally {
    await world.stop();
  }
}

const listed = async ({ gate }: WireWorld, query: string): Promise<string[]> =>
  (await gate.admin<{ requests: { id: string }[] }>('GET', `/api/requests?${query}`)).requests.map(
    ({ id }) => id,
  );

describe('privacy (TW-12)', () => {
  it('HASH_USER_IDS: the id of a session reaches no file, is found by itself, and limits and budgets count by it', async () => {
    await inWorld({ HASH_USER_IDS: 'true' }, async (world) => {
      const send = (session = SESSION) =>
        world.messages(MESSAGES_BODY, { headers: [['x-claude-code-session-id', session]] }).answer;
      const { request } = await world.rowOf(await send());
      expect(request.sessionId).toMatch(/^h1:[\w-]{22}$/);
      const again = await world.rowOf(await send());
      expect(again.request.sessionId).toBe(request.sessionId);
      const other = await world.rowOf(await send(`${SESSION}x`));
      expect(other.request.sessionId).not.toBe(request.sessionId);
      for (const name of [SESSION, request.sessionId ?? ''])
        expect(await listed(world, `session=${encodeURIComponent(name)}`)).toEqual([
          again.request.id,
          request.id,
        ]);
      // Upstream it goes on as it came.
      expect(world.anthropic.requests[0]?.value('x-claude-code-session-id')).toBe(SESSION);
      await world.gate.admin('POST', '/api/limits', {
        scope: `session:${SESSION}`,
        measure: 'requests',
        limit: 1,
        window: 'day',
      });
      await world.rowOf(await send());
      expect((await send()).status).toBe(429);
      expect((await send(`${SESSION}x`)).status).toBe(200);
      const budget = { scope: `session:${SESSION}`, window: 'day', limitRequests: 50 };
      const made = await world.gate.admin<{ scope: string; status: { spent: number } }>(
        'POST',
        '/api/budgets',
        budget,
      );
      expect([made.scope, made.status.spent]).toEqual([`session:${request.sessionId}`, 3]);
      expect(await filesWith(world.gate.dataDir, SESSION)).toEqual([]);
    });
  });

  it('after a redaction ids and tags are in no answer and in no file but segments of the journal', async () => {
    await inWorld({}, async (world) => {
      for (let i = 0; i < 3; i++) {
        const headers: [string, string][] = [...SESSION_HEADER, ['x-tallygate-tags', `${TAG},kept-${i}`]];
        await world.rowOf(await world.messages(MESSAGES_BODY, { headers }).answer);
      }
      const folder = world.gate.dataDir;
      const outside = async (text: string) =>
        (await filesWith(folder, text)).filter((path) => !path.startsWith('journal'));
      expect((await outside(SESSION)).length).toBeGreaterThan(0);
      const cli = (...args: string[]) =>
        spawnCli(['requests', 'redact', ...args, '--json', '--data-dir', folder]).finished;
      const dry = await cli('--session', SESSION);
      expect([dry.code, JSON.parse(dry.stdout)]).toEqual([0, { dryRun: true, rows: 3 }]);
      expect(await listed(world, `tag=${TAG}`)).toHaveLength(3);
      const early = await cli('--session', SESSION, '--before', '2020-01-01T00:00:00Z', '--yes');
      expect(JSON.parse(early.stdout)).toEqual({ dryRun: false, rows: 0 });
      const done = await cli('--session', SESSION, '--yes');
      expect(JSON.parse(done.stdout)).toEqual({ dryRun: false, rows: 3 });
      for (const planted of [SESSION, TAG]) {
        expect(await outside(planted)).toEqual([]);
        for (const path of ['/api/requests', '/api/audit'])
          expect(JSON.stringify(await world.gate.admin('GET', path))).not.toContain(planted);
      }
      const rows = await world.gate.requestsJson();
      expect(rows.every(({ totalTokens, sessionId }) => totalTokens !== null && sessionId === null)).toBe(
        true,
      );
      const checked = await world.gate.admin<{ ok: boolean }>('POST', '/api/rollups/verify', {});
      expect(checked.ok).toBe(true);
    });
  });
});
