import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type EventClient, openEvents } from '@tallygate/testkit/event-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventSink } from '../admin/route.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';

const HEARTBEAT_MS = 30;
let server: Server;
let streams: EventStreams;
let arrived: (response: ServerResponse) => void;
let clients: EventClient[];

beforeEach(async () => {
  clients = [];
  streams = createEventStreams(HEARTBEAT_MS);
  server = createServer((_request, response) => arrived(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const client of clients) client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function open(alive = async () => true): Promise<{ sink: EventSink; client: EventClient }> {
  const opened = new Promise<EventSink>((resolve) => {
    arrived = (response) =>
      resolve(
        streams.open(response, { headers: { 'x-a': 'b' }, credential: 'key:1', workspaceId: 'w', alive }),
      );
  });
  const client = await openEvents((server.address() as AddressInfo).port, '/');
  clients.push(client);
  return { sink: await opened, client };
}
const closed = (sink: EventSink): Promise<void> => new Promise((resolve) => sink.onClose(resolve));
const bulk = 'x'.repeat(60_000);

describe('createEventStreams', () => {
  it('sends events whole, with id and name, and JSON that breaks no line', async () => {
    const { sink, client } = await open();
    expect(client.headers).toMatchObject({
      'x-a': 'b',
      'x-accel-buffering': 'no',
      'cache-control': 'no-store',
    });
    sink.send({ event: 'a', id: '7', data: { text: 'one\n\ndata: two\r' } });
    expect(await client.next()).toEqual({ event: 'a', id: '7', data: { text: 'one\n\ndata: two\r' } });
  });

  it('drops a reader that lets more than 1 MiB wait, without buffering on', async () => {
    const { sink, client } = await open();
    client.pause();
    let sent = 0;
    while (sink.send({ event: 'a', data: bulk }) && sent < 1_000) sent += 1; // in one turn: nothing can leave
    expect(sent).toBeLessThan(25);
    expect(sink.open).toBe(false);
    client.resume();
    await client.ended;
  });

  it('drops a reader that takes nothing for several heartbeats, and keeps one that reads', async () => {
    const slow = await open();
    const quick = await open();
    slow.client.pause();
    let more = true;
    const dropped = closed(slow.sink).then(() => {
      more = false;
    });
    let sent = 0;
    while (more) {
      if (!quick.sink.send({ event: 'a', id: String(++sent), data: 1 })) break;
      await quick.sink.drained();
      slow.sink.send({ event: 'a', data: bulk });
      await Promise.race([slow.sink.drained(), new Promise((resolve) => setTimeout(resolve, 1))]);
      if (sent > 200) await Promise.race([dropped, quick.client.next()]);
    }
    await dropped;
    expect(quick.sink.open).toBe(true);
    quick.sink.send({ event: 'last', data: 1 });
    let last = await quick.client.next();
    while (last.event !== 'last') last = await quick.client.next();
  });

  it('tells who listens when the client leaves, and lets nobody wait for it', async () => {
    const { sink, client } = await open();
    const over = closed(sink);
    client.close();
    await over;
    expect(sink.send({ event: 'a', data: 1 })).toBe(false);
    await sink.drained();
    await closed(sink); // at once, also afterwards
  });

  it('ends when the credential is no longer good, but not when that cannot be found out', async () => {
    let answer: () => Promise<boolean> = async () => {
      throw new Error('the store is down');
    };
    const { sink, client } = await open(() => answer());
    await new Promise<void>((resolve) => sink.onBeat(resolve));
    expect(sink.open).toBe(true);
    answer = async () => false;
    await client.ended;
  });

  it('ends the streams of one credential, and all', async () => {
    const [a, b] = [await open(), await open()];
    streams.endOf('key:2');
    expect([a.sink.open, b.sink.open]).toEqual([true, true]);
    streams.endOf('key:1');
    await Promise.all([a.client.ended, b.client.ended]);
    const c = await open();
    streams.endAll();
    await c.client.ended;
  });
});
