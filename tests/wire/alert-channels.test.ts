import type { ChannelView, DeliveryView } from '@tallygate/contract/api/alerts';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeMailServer, startFakeMailServer } from '@tallygate/testkit/fake-mail-server';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: WireWorld;
let receiver: FakeReceiver;
let mail: FakeMailServer;
beforeAll(async () => {
  [receiver, mail] = await Promise.all([startFakeReceiver(), startFakeMailServer()]);
  world = await startWireWorld({ config: { PUBLIC_URL: 'https://gate.example.com' } });
});
afterAll(async () => {
  await world.stop();
  await receiver.stop();
  await mail.stop();
});

const at = (path: string): string => `${receiver.url}/${path}`;
const targets = () => ({
  webhook: { kind: 'webhook', url: at('webhook') },
  slack: { kind: 'slack', url: at('slack') },
  discord: { kind: 'discord', url: at('discord') },
  teams: { kind: 'teams', url: at('teams') },
  pagerduty: { kind: 'pagerduty', routingKey: 'R'.repeat(32), url: at('pagerduty') },
  email: {
    ...{ kind: 'email', host: '127.0.0.1', port: mail.port, security: 'none' },
    ...{ from: 'gate@example.com', to: ['ops@example.com'] },
  },
});
const bodyAt = (path: string) => {
  const call = receiver.calls.find((one) => one.path === `/${path}`);
  return JSON.parse(call?.body ?? '{}');
};

describe('one rule of a running server, every kind of channel (TW-16)', { timeout: 180_000 }, () => {
  it('each gets what happened once, in its own form, with a link; the log says so', async () => {
    const channels = await Promise.all(
      Object.entries(targets()).map(([name, target]) =>
        world.gate.admin<ChannelView>('POST', '/api/alerts/channels', { name, allowPrivate: true, target }),
      ),
    );
    await world.gate.admin('POST', '/api/alerts/rules', {
      name: 'first request',
      severity: 'critical',
      condition: { kind: 'usage', metric: 'requests', window: 'month', threshold: 1 },
      channelIds: channels.map(({ id }) => id),
    });
    await world.messages(MESSAGES_BODY).answer;
    await receiver.until(5);
    await eventually('the mail', () => mail.mails.length > 0);
    const title = 'Requests in production reached 1 this month';
    const link = /^https:\/\/gate\.example\.com\/\?from=.*environment=production/;
    expect(bodyAt('webhook')).toMatchObject({
      type: 'alert.firing',
      data: { title, url: expect.stringMatching(link) },
    });
    expect(bodyAt('slack')).toMatchObject({ text: `Critical: ${title}` });
    expect(bodyAt('discord').embeds[0]).toMatchObject({
      title: `Critical: ${title}`,
      url: expect.stringMatching(link),
    });
    expect(bodyAt('teams').attachments[0].content.body[0].text).toBe(`Critical: ${title}`);
    expect(bodyAt('pagerduty')).toMatchObject({ event_action: 'trigger', payload: { summary: title } });
    expect(mail.mails[0]).toMatchObject({ from: 'gate@example.com', to: ['ops@example.com'] });
    expect(mail.mails[0]?.message).toContain(`[Critical] ${title}`);
    const delivered = await eventually('every delivery is finished', async () => {
      const path = '/api/alerts/deliveries?status=delivered';
      const { deliveries } = await world.gate.admin<{ deliveries: DeliveryView[] }>('GET', path);
      return deliveries.length === channels.length ? deliveries : null;
    });
    expect(new Set(delivered.map(({ eventId }) => eventId)).size).toBe(1);
    expect(delivered.map(({ channel }) => channel.kind).sort()).toEqual(Object.keys(targets()).sort());
    expect([receiver.calls.length, mail.mails.length]).toEqual([5, 1]);
  });
});
