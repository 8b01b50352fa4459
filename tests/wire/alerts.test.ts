import { createHmac } from 'node:crypto';
import type { AlertEventView, ChannelCreated, DeliveryView } from '@tallygate/contract/api/alerts';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
let receiver: FakeReceiver;
let channel: ChannelCreated;
beforeEach(async () => {
  receiver = await startFakeReceiver();
  world = await startWireWorld();
  channel = await world.gate.admin<ChannelCreated>('POST', '/api/alerts/channels', {
    name: 'ops',
    allowPrivate: true,
    target: { kind: 'webhook', url: `${receiver.url}/in` },
  });
});
afterEach(async () => {
  await world.stop();
  await receiver.stop();
});

const requestRule = () =>
  world.gate.admin('POST', '/api/alerts/rules', {
    name: 'first request',
    condition: { kind: 'usage', metric: 'requests', window: 'month', threshold: 1 },
    channelIds: [channel.id],
  });
const firstEvent = async (): Promise<AlertEventView | null> => {
  const { events } = await world.gate.admin<{ events: AlertEventView[] }>('GET', '/api/alerts/events');
  return events[0] ?? null;
};

describe('alerts of a running server (TW-16)', { timeout: 180_000 }, () => {
  it('a request that is committed fires a rule by itself, signed, once', async () => {
    await requestRule();
    await world.messages(MESSAGES_BODY).answer;
    const [call] = await receiver.until(1);
    const event = await eventually('the event', firstEvent);
    expect(call?.path).toBe('/in');
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = call?.headers ?? {};
    expect(id).toBe(event.id);
    const key = Buffer.from((channel.signingSecret ?? '').slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(`${id}.${at}.${call?.body}`).digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(event).toMatchObject({ state: 'firing', environment: 'production' });
    await world.messages(MESSAGES_BODY).answer;
    await world.gate.untilRows(2);
    await world.gate.admin('POST', '/api/alerts/evaluate');
    expect(receiver.calls).toHaveLength(1);
  });

  it('kill -9 between "stored" and "sent": delivered after the restart, with the same event id', async () => {
    receiver.answer = 'hang';
    await requestRule();
    await world.messages(MESSAGES_BODY).answer;
    await receiver.until(1); // it is being sent, and the receiver has not taken it
    const event = await eventually('the event', firstEvent);
    await world.gate.kill9();
    receiver.answer = { status: 200 };
    await world.gate.restart();
    const calls = await receiver.until(2, 20_000);
    expect(calls.map(({ headers }) => headers['webhook-id'])).toEqual([event.id, event.id]);
    const delivered = await eventually('the delivery is finished', async () => {
      const path = '/api/alerts/deliveries?status=delivered';
      const { deliveries } = await world.gate.admin<{ deliveries: DeliveryView[] }>('GET', path);
      return deliveries[0] ?? null;
    });
    expect(delivered.eventId).toBe(event.id);
    const { events } = await world.gate.admin<{ events: AlertEventView[] }>('GET', '/api/alerts/events');
    expect(events).toHaveLength(1); // the restart did not fire it anew
  });
});
