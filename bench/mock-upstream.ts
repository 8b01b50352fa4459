/**
 * The upstream of the benchmark: raw sockets and pre-rendered bytes, so that it costs a fraction of what it
 * measures. Run as its own process; prints its port over IPC.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  chunk,
  jsonAnswerTemplate,
  LAST_CHUNK,
  PACED_GAP_MS,
  PACED_MARK,
  STREAM_MARK,
  stampSerial,
  streamEvents,
  streamHeadTemplate,
} from './wire-bytes.ts';

/** The marks stand in the first bytes of the body. */
const MARK_WINDOW_BYTES = 160;
const HEAD_END = Buffer.from('\r\n\r\n');

const jsonAnswer = jsonAnswerTemplate();
const streamHead = streamHeadTemplate();
const eventChunks = streamEvents().map(chunk);
const lastWrite = Buffer.concat([eventChunks.at(-1) ?? Buffer.alloc(0), LAST_CHUNK]);
let serial = 0;

function answerJson(socket: Socket): void {
  stampSerial(jsonAnswer, ++serial);
  // A copy: the socket may still hold the bytes when the next request stamps the template.
  socket.write(Buffer.from(jsonAnswer.bytes));
}

/** One write an event, as providers send them. */
function answerStream(socket: Socket): void {
  stampSerial(streamHead, ++serial);
  socket.write(Buffer.concat([streamHead.bytes, eventChunks[0] ?? LAST_CHUNK]));
  for (let i = 1; i < eventChunks.length - 1; i++) socket.write(eventChunks[i] ?? LAST_CHUNK);
  socket.write(lastWrite);
}

function answerPaced(socket: Socket): void {
  stampSerial(streamHead, ++serial);
  socket.write(Buffer.concat([streamHead.bytes, eventChunks[0] ?? LAST_CHUNK]));
  let next = 1;
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    const last = next === eventChunks.length - 1;
    socket.write(last ? lastWrite : (eventChunks[next] ?? LAST_CHUNK));
    next++;
    if (last) clearInterval(timer);
  }, PACED_GAP_MS);
}

function contentLength(head: string): number {
  const match = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (!match) throw new Error('the mock needs a content-length');
  return Number(match[1]);
}

/** Reads requests off one connection; bodies are skipped by length, only their first bytes are looked at. */
function serve(socket: Socket): void {
  let pending: Buffer | null = null;
  let bodyLeft = 0;
  let answer = answerJson;
  socket.setNoDelay(true);
  const onHead = (bytes: Buffer): Buffer | null => {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return null;
    const bodyAt = end + HEAD_END.length;
    const bodyLength = contentLength(bytes.toString('latin1', 0, end));
    if (bytes.length < bodyAt + Math.min(bodyLength, MARK_WINDOW_BYTES)) return null;
    const start = bytes.toString('latin1', bodyAt, bodyAt + MARK_WINDOW_BYTES);
    answer = start.includes(PACED_MARK)
      ? answerPaced
      : start.includes(STREAM_MARK)
        ? answerStream
        : answerJson;
    bodyLeft = bodyLength;
    return bytes.subarray(bodyAt);
  };
  socket.on('data', (data: Buffer) => {
    let bytes = pending ? Buffer.concat([pending, data]) : data;
    pending = null;
    while (bytes.length > 0) {
      if (bodyLeft === 0) {
        const body = onHead(bytes);
        if (!body) {
          pending = bytes;
          return;
        }
        bytes = body;
      }
      const taken = Math.min(bodyLeft, bytes.length);
      bodyLeft -= taken;
      bytes = bytes.subarray(taken);
      if (bodyLeft === 0) answer(socket);
    }
  });
  socket.on('error', () => socket.destroy());
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
