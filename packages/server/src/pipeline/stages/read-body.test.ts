import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { eventually } from '@tallygate/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppError } from '../../kernel/errors.ts';
import { BodyRoom } from '../body-room.ts';
import { readBody } from './read-body.ts';
import { SURVEYED_BYTES } from './survey-body.ts';

const MAX_BYTES = 1_000;
/** Over two million values, when they are empty objects. */
const MAX_LARGE = 3_100_000;
let maxBytes: number;

let server: Server;
let room: BodyRoom;
let outcomes: (string | null)[];
const sockets: Socket[] = [];
beforeEach(async () => {
  const mine: (string | null)[] = [];
  outcomes = mine; // clients of the test before may still be leaving
  room = new BodyRoom(2_000);
  maxBytes = MAX_BYTES;
  server = createServer((request, response) => {
    const its = room;
    readBody(request, { maxBytes, room: its }, (error: AppError | null, body) => {
      mine.push(error?.code ?? body?.toString() ?? null);
      response.once('close', () => its.give(body?.length ?? 0));
      response.writeHead(error?.status ?? 200, { connection: 'close' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

/** Sends the head of a request and a part of its body, and leaves it at that. */
function begin(length: number | 'chunked', part: string): Socket {
  const socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  const framing = length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  const bytes = length === 'chunked' && part !== '' ? `${part.length.toString(16)}\r\n${part}\r\n` : part;
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n${bytes}`);
  return socket;
}
const held = (bytes: number) => eventually(`${bytes} bytes are held`, () => room.heldBytes === bytes);
const outcome = (count: number) => eventually(`${count} are read`, () => outcomes.length === count);

describe('reading a body', () => {
  it('looks a large one over first, and gives its room back when the client went meanwhile', async () => {
    const large = `["${'x'.repeat(SURVEYED_BYTES)}"]`;
    room = new BodyRoom(MAX_LARGE);
    maxBytes = MAX_LARGE;
    const socket = begin(large.length, large);
    await outcome(1);
    expect(outcomes).toEqual([large]);
    socket.destroy();
    await held(0);
    begin(MAX_LARGE, `[${'{},'.repeat(MAX_LARGE)}`.slice(0, MAX_LARGE));
    await outcome(2);
    expect(outcomes[1]).toBe('request_too_large');
    await held(0);
    const leaving = begin(MAX_LARGE, ' '.repeat(MAX_LARGE - 1));
    await held(MAX_LARGE - 1);
    leaving.end(' ', () => leaving.resetAndDestroy());
    await outcome(3);
    await held(0);
  });

  it('gives it whole, in one piece or several, and nothing for none', async () => {
    begin(5, 'hello');
    await outcome(1);
    const socket = begin(6, 'ab');
    await held(2);
    socket.write('cd');
    await held(4);
    socket.write('ef');
    await outcome(2);
    begin(0, '');
    await outcome(3);
    expect(outcomes).toEqual(['hello', 'abcdef', '']);
    await held(0);
  });

  it('refuses what is announced as too large before a byte of it is read', async () => {
    begin(MAX_BYTES + 1, '');
    await outcome(1);
    begin(MAX_BYTES, 'x'.repeat(MAX_BYTES));
    await outcome(2);
    expect(outcomes).toEqual(['request_too_large', 'x'.repeat(MAX_BYTES)]);
  });

  it('counts what really comes where nothing is announced', async () => {
    const socket = begin('chunked', 'x'.repeat(MAX_BYTES));
    await held(MAX_BYTES);
    socket.write('1\r\nx\r\n');
    await outcome(1);
    expect(outcomes).toEqual(['request_too_large']);
    await held(0);
  });

  it('has nobody to answer when the client leaves, and holds nothing of it', async () => {
    const socket = begin(500, 'x'.repeat(300));
    await held(300);
    socket.destroy();
    await outcome(1);
    expect([outcomes, room.heldBytes]).toEqual([[null], 0]);
  });
});

describe('the room for all bodies (CF-13)', () => {
  it('is shared: who comes when it is full is refused, and gets in once somebody left', async () => {
    const first = begin(1_000, 'x'.repeat(900));
    begin(1_000, 'y'.repeat(900));
    await held(1_800);
    begin(1_000, 'z'.repeat(201));
    await outcome(1);
    expect([outcomes, room.heldBytes]).toEqual([['bodies_too_large'], 1_800]);
    first.destroy();
    await held(900);
    begin(1_000, 'z'.repeat(1_000));
    await outcome(3);
    expect(outcomes[2]).toBe('z'.repeat(1_000));
    await held(900);
  });

  it('one that is refused half-way gives back what it had', async () => {
    const slow = begin(1_000, 'x'.repeat(600));
    begin(1_000, 'y'.repeat(900));
    await held(1_500);
    begin(1_000, 'z'.repeat(400));
    await held(1_900);
    slow.write('x'.repeat(200));
    await outcome(1);
    expect(outcomes).toEqual(['bodies_too_large']);
    await held(1_300);
  });

  it('is taken to the last byte and not beyond', () => {
    const small = new BodyRoom(10);
    expect([small.take(10), small.take(1), small.take(0)]).toEqual([true, false, true]);
    small.give(1);
    expect([small.take(2), small.heldBytes, small.take(1)]).toEqual([false, 9, true]);
  });
});
