import { type AlertWorld, createAlertWorld } from '@tallygate/testkit/alert-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Notice, SendResult } from '../delivery/channel-adapter.ts';
import { createIdSource } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { AlertEventRow } from '../store/ports/alerts.ts';
import type { Store } from '../store/store.ts';
import { noticeOf, sampleNotice } from './notice.ts';
import { AlertOutbox } from './outbox.ts';
import { DELIVERY_LIFE_MS, waitAfterMs } from './retry-schedule.ts';
import { applyTemplate, TEMPLATE_FIELDS, unknownFields } from './template.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const refused: SendResult = { ok: false, status: 500, message: 'no', retryAfterMs: null };
const taken: SendResult = { ok: true, status: 200, message: 'yes', retryAfterMs: null };

describe('the outbox (TW-16)', () => {
  let store: Store;
  let world: AlertWorld;
  let sent: AlertEventRow[];
  let answer: SendResult;
  beforeEach(async () => {
    store = await openTestStore();
    world = await createAlertWorld(store);
    sent = [];
    answer = taken;
    await store.alerts.insertAlertChannel({
      id: 'c1',
      workspaceId: 'ws',
      name: 'ops',
      kind: 'webhook',
      config: '{}',
      sealedSecret: null,
      destination: 'x',
      allowPrivate: false,
      template: null,
      enabled: true,
      createdAtMs: 1,
    });
    await world.rule({ channelIds: ['c1'] });
    await world.spend('production', 10);
    await world.evaluator().evaluate();
  });
  afterEach(() => store.close());

  const outbox = (sole = false): AlertOutbox =>
    new AlertOutbox({
      store: store.alerts,
      sole,
      send: async (event) => {
        sent.push(event);
        return answer;
      },
      clock: world.clock,
      newId: createIdSource(world.clock),
      random: () => 0.5,
      logger: silentLogger,
    });
  const delivery = async () => (await store.alerts.listDeliveries({ workspaceId: null, limit: 1 }))[0];

  it('sends once, and keeps what came of it', async () => {
    const box = outbox();
    await Promise.all([box.run(), box.run(), outbox().run()]);
    expect(sent).toHaveLength(1);
    expect(await delivery()).toMatchObject({
      status: 'delivered',
      attempts: 1,
      finishedAtMs: world.clock.ms,
      log: [{ ok: true, status: 200, message: 'yes' }],
    });
  });

  it('tries for a day with growing waits and the same event id, then gives up and says so', async () => {
    answer = refused;
    const start = world.clock.ms;
    const box = outbox();
    for (let minutes = 0; minutes <= 26 * 60; minutes += 1) {
      await box.run();
      world.clock.ms = start + minutes * MINUTE;
    }
    const row = await delivery();
    expect(row?.status).toBe('dead');
    expect(sent.length).toBe(row?.attempts);
    expect(sent.length).toBeGreaterThan(12);
    expect(sent.length).toBeLessThan(30);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect((row?.finishedAtMs ?? 0) - start).toBeGreaterThan(21 * HOUR);
    expect((row?.finishedAtMs ?? 0) - start).toBeLessThanOrEqual(24 * HOUR);
    answer = taken;
    await store.alerts.redeliver(row?.id ?? '', {
      nowMs: world.clock.ms,
      expiresAtMs: world.clock.ms + DELIVERY_LIFE_MS,
    });
    await box.run();
    expect(await delivery()).toMatchObject({ status: 'delivered' });
    expect(sent.at(-1)?.id).toBe(sent[0]?.id);
  });

  it('waits as long as the receiver asks', async () => {
    answer = { ...refused, status: 429, retryAfterMs: 30 * MINUTE };
    const box = outbox();
    await box.run();
    world.clock.ms += 29 * MINUTE;
    await box.run();
    expect(sent).toHaveLength(1);
    world.clock.ms += MINUTE;
    await box.run();
    expect(sent).toHaveLength(2);
  });

  it('a process that died while it sent gives the delivery back, with the same event id', async () => {
    const nowMs = world.clock.ms;
    const died = { token: 'died', nowMs, untilMs: nowMs + 45_000, limit: 10 };
    const [claimed] = await store.alerts.claimDeliveries(died);
    await outbox().run();
    expect(sent).toEqual([]);
    world.clock.ms += 45_000;
    await outbox().run();
    expect(sent.map(({ id }) => id)).toEqual([claimed?.event.id]);
  });

  it('where there can be no other process, what a dead one had claimed is sent at once', async () => {
    const nowMs = world.clock.ms;
    const died = { token: 'died', nowMs, untilMs: nowMs + 45_000, limit: 10 };
    const [claimed] = await store.alerts.claimDeliveries(died);
    const box = outbox(true);
    await box.run();
    expect(sent.map(({ id }) => id)).toEqual([claimed?.event.id]);
    await box.run(); // its own claims it leaves alone
    expect(sent).toHaveLength(1);
  });

  it('takes nothing more once it is stopped; the next process does', async () => {
    const box = outbox();
    await box.stop();
    await box.run();
    expect([sent, (await delivery())?.status]).toEqual([[], 'pending']);
    await outbox().run();
    expect(sent).toHaveLength(1);
  });

  it('does not send where nobody wants it any more', async () => {
    await store.alerts.updateAlertChannel('c1', { enabled: false });
    await outbox().run();
    expect(sent).toEqual([]);
    expect(await delivery()).toMatchObject({
      status: 'dead',
      log: [{ ok: false, message: 'The channel is switched off.' }],
    });
  });
});

describe('waits', () => {
  it('grow, are spread by a quarter, and never fall below what was asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.option(fc.nat(HOUR)),
        (attempts, random, asked) => {
          const wait = waitAfterMs(attempts, random, asked);
          const middle = waitAfterMs(attempts, 0.5, null);
          const spread = asked === null ? Math.abs(wait - middle) <= middle * 0.25 + 1 : wait >= asked;
          return spread && middle <= waitAfterMs(attempts + 1, 0.5, null) && wait >= 1_000;
        },
      ),
    );
  });
});

describe('templates', () => {
  const notice: Notice = { ...sampleNotice('e1', 0, null), title: '{{text}} {{title}}', text: 'T' };

  const stored = { id: 'e', workspaceId: 'w', version: 2, facts: [], path: null };
  const event: AlertEventRow = { ...notice, ...stored, state: 'recovered' };

  it('fill in names once: what is filled in is text', () => {
    const words = applyTemplate(notice, {
      title: '[{{ severity }}] {{title}}',
      text: '{{facts}}\n{{event}}',
    });
    expect(words.title).toBe('[info] {{text}} {{title}}');
    expect(words.text).toBe('Spend: $12.34\nLimit: $10.00\ne1');
    expect(applyTemplate(notice, { title: null, text: null })).toEqual(notice);
  });

  it('name what stands for nothing, also what every object has', () => {
    const all = TEMPLATE_FIELDS.map((name) => `{{${name}}}`).join(' ');
    expect(unknownFields({ title: all, text: null })).toEqual([]);
    expect(unknownFields({ title: '{{constructor}}', text: '{{titel}} {{}}' })).toEqual([
      'constructor',
      'titel',
    ]);
  });

  it('a recovery says when it was over', () => {
    const { facts } = noticeOf(event, null);
    expect(facts).toEqual([{ label: 'Over at', value: '1970-01-01T00:00:00.000Z' }]);
  });

  it('a notice links to what it is about, and to what its rule has told where nothing else shows it', () => {
    const site = 'https://gate.example.com';
    expect(noticeOf({ ...event, path: '/budgets?budget=b' }, site).url).toBe(`${site}/budgets?budget=b`);
    expect(noticeOf({ ...event, ruleId: 'r/1' }, site).url).toBe(`${site}/alerts/history?rule=r%2F1`);
    expect(noticeOf({ ...event, path: '/budgets' }, null).url).toBeNull(); // it was not told its own address
    const linked = noticeOf({ ...event, path: '/accounts' }, site);
    expect(applyTemplate(linked, { title: null, text: 'See {{link}}' }).text).toBe(`See ${site}/accounts`);
  });
});
