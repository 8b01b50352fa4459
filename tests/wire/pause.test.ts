import type { AuditEntryView } from '@tallygate/contract/api/audit';
import type { SecurityOverview } from '@tallygate/contract/api/security';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const LIMIT_MS = 1_000;
let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());
beforeEach(async () => {
  await world.gate.admin('POST', '/api/incident/resume', {});
  world.anthropic.clear();
  world.openai.clear();
});

describe('a pause of all traffic (CF-18)', () => {
  it('refuses in the client’s dialect, reaches no upstream, and ends with resume', async () => {
    await world.gate.admin('POST', '/api/incident/pause', { reason: 'a key leaked' });
    const messages = await world.messages(MESSAGES_BODY).answer;
    const chat = await world.chat(CHAT_BODY).answer;
    expect([messages.status, chat.status]).toEqual([503, 503]);
    expect(messages.json()).toMatchObject({
      type: 'error',
      error: { message: expect.stringContaining('paused') },
    });
    expect(chat.json()).toMatchObject({ error: { message: expect.stringContaining('paused') } });
    expect(messages.value('x-tallygate-error')).toBe('traffic_paused');
    expect(world.anthropic.requests).toEqual([]);
    await world.gate.admin('POST', '/api/incident/resume', {});
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
  });

  it('ends what is running within a second, upstream and client, and settles it', async () => {
    world.anthropic.respondOnce(sseThen(anthropicEvents().slice(0, 5), stall));
    const streaming = world.messages({ ...MESSAGES_BODY, stream: true });
    const cut = streaming.answer.catch((error: Error) => error);
    await streaming.until('content_block_delta');
    const head = await streaming.head;
    world.openai.respondOnce(stall);
    const waiting = world.chat(CHAT_BODY);
    const upstream = await world.openai.nextRequest();
    await upstream.received;

    const pausedAt = performance.now();
    const { ended } = await world.gate.admin<{ ended: number }>('POST', '/api/incident/pause', {});
    expect(ended).toBe(2);
    const refused = await waiting.answer;
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([503, 'traffic_paused']);
    expect(await cut).toBeInstanceOf(Error);
    for (const gone of [upstream.peerGone, world.anthropic.requests[0]?.peerGone])
      expect(((await gone) ?? Infinity) - pausedAt).toBeLessThan(LIMIT_MS);
    const { request } = await world.rowOf(head);
    expect(request).toMatchObject({ status: 'interrupted', errorCode: 'traffic_paused' });
    expect((await world.rowOf(refused)).request).toMatchObject({ status: 'interrupted' });
  });

  it('stands after a restart', async () => {
    await world.gate.admin('POST', '/api/incident/pause', { reason: 'still' });
    await world.gate.kill9();
    await world.gate.restart();
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(503);
    const status = await world.gate.admin<{ paused: { reason: string } }>('GET', '/api/incident');
    expect(status.paused.reason).toBe('still');
    await world.gate.admin('POST', '/api/incident/resume', {});
    expect((await world.messages(MESSAGES_BODY).answer).status).toBe(200);
  });
});

describe('what the server records of itself (X-06, CF-13)', () => {
  it('each start with the hash of its settings, and the first use of a key', async () => {
    await world.messages(MESSAGES_BODY).answer;
    const { entries } = await world.gate.admin<{ entries: AuditEntryView[] }>(
      'GET',
      '/api/audit?action=server.start',
    );
    const [start] = entries;
    expect(start?.changes[0]).toMatchObject({
      field: 'settingsHash',
      after: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const uses = await world.gate.admin<{ entries: AuditEntryView[] }>(
      'GET',
      '/api/audit?action=key.new_address',
    );
    expect(uses.entries).toMatchObject([{ actor: { kind: 'key' }, address: '127.0.0.1' }]);
    const report = await world.gate.admin('POST', '/api/audit/verify', {});
    expect(report).toMatchObject({ ok: true });
  });

  it('counts wrong keys by address and prefix, without the rest of the key (NX-10)', async () => {
    const wrong = `tg_leaked1${'A'.repeat(36)}`;
    for (let index = 0; index < 11; index++) await world.messages(MESSAGES_BODY, { key: wrong }).answer;
    const overview = await world.gate.admin<SecurityOverview>('GET', '/api/security/overview');
    expect(overview.addresses).toMatchObject([{ name: '127.0.0.1', lastHour: { unauthorized: 11 } }]);
    expect(overview.keyPrefixes.map((row) => row.name)).toEqual(['tg_leaked1']);
    expect(overview.findings.map((finding) => finding.rule)).toEqual(['failed_by_address', 'refused_key']);
    expect(JSON.stringify(overview)).not.toContain('AAAA');
  });
});
