/**
 * The load generator: raw sockets, pre-rendered requests, closed loop. Run as its own process; takes a
 * {@link LoadJob} over IPC and answers with a {@link LoadResult}.
 */
import { createConnection, type Socket } from 'node:net';
import { createAnswerParser } from './answer-parser.ts';
import type { LoadJob, LoadResult } from './load-types.ts';
import { percentile } from './stats.ts';
import {
  expectedBodyBytes,
  PACED_GAP_MS,
  requestTemplate,
  STREAM_EVENTS,
  stampSerial,
} from './wire-bytes.ts';

const STALL_MS = 100;
let serial = 0;

interface Tally {
  latenciesMs: number[];
  ttftMs: number[];
  gapsMs: number[];
  stalls: number;
  completed: number;
  failed: number;
  altered: number;
}

interface Client {
  /** Sends one request; resolves when its answer is complete, false when it failed. */
  call(): Promise<boolean>;
  close(): void;
}

function openClient(job: LoadJob, tally: Tally): Promise<Client> {
  const expected = expectedBodyBytes(job.shape);
  const request = requestTemplate({ ...job, host: `127.0.0.1:${job.port}` });
  const socket: Socket = createConnection(job.port, '127.0.0.1');
  socket.setNoDelay(true);
  const paced = job.shape === 'paced';
  let sentAt = 0;
  let lastAt = 0;
  let settle: ((ok: boolean) => void) | null = null;
  const finish = (ok: boolean): void => {
    const resolve = settle;
    settle = null;
    resolve?.(ok);
  };
  const onBody = (): void => {
    const now = performance.now();
    if (lastAt === 0) tally.ttftMs.push(now - sentAt);
    else if (paced) {
      tally.gapsMs.push(now - lastAt);
      if (now - lastAt > STALL_MS) tally.stalls++;
    }
    lastAt = now;
  };
  const onDone = (status: number, bodyBytes: number): void => {
    tally.latenciesMs.push(performance.now() - sentAt);
    if (status !== 200) tally.failed++;
    else if (bodyBytes !== expected) tally.altered++;
    else tally.completed++;
    finish(status === 200);
  };
  const parse = createAnswerParser({ body: onBody, done: onDone });
  const fail = (): void => {
    if (!settle) return;
    tally.failed++;
    finish(false);
  };
  socket.on('data', parse);
  socket.on('error', fail);
  socket.on('close', fail);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () =>
      resolve({
        call: () =>
          new Promise((answered) => {
            settle = answered;
            lastAt = 0;
            stampSerial(request, ++serial);
            sentAt = performance.now();
            // No copy: the bytes are stamped again only after the answer to these has come.
            socket.write(request.bytes);
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}

/** Each connection calls again as soon as it is answered, until the time is up; calls under way finish. */
async function saturate(job: LoadJob, tally: Tally): Promise<void> {
  const clients = await Promise.all(Array.from({ length: job.connections }, () => openClient(job, tally)));
  const endAt = performance.now() + job.durationMs;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < endAt && (await client.call()));
      client.close();
    }),
  );
}

/** All connections stream at a provider's pace, started evenly over the length of one stream. */
async function pace(job: LoadJob, tally: Tally): Promise<void> {
  const clients = await Promise.all(Array.from({ length: job.connections }, () => openClient(job, tally)));
  const streamMs = STREAM_EVENTS * PACED_GAP_MS;
  await Promise.all(
    clients.map(async (client, index) => {
      await new Promise((resolve) => setTimeout(resolve, (index * streamMs) / clients.length));
      const rounds = Math.max(1, Math.round(job.durationMs / streamMs));
      for (let round = 0; round < rounds; round++) if (!(await client.call())) break;
      client.close();
    }),
  );
}

async function run(job: LoadJob): Promise<LoadResult> {
  const tally: Tally = {
    latenciesMs: [],
    ttftMs: [],
    gapsMs: [],
    stalls: 0,
    completed: 0,
    failed: 0,
    altered: 0,
  };
  const startedAt = performance.now();
  await (job.shape === 'paced' ? pace(job, tally) : saturate(job, tally));
  const elapsedMs = performance.now() - startedAt;
  const { completed, failed, altered, stalls } = tally;
  const { latenciesMs, ttftMs, gapsMs } = tally;
  for (const list of [latenciesMs, ttftMs, gapsMs]) list.sort((a, b) => a - b);
  return {
    elapsedMs,
    completed,
    failed,
    altered,
    stalls,
    perSecond: (completed * 1000) / elapsedMs,
    latencyMs: { p50: percentile(latenciesMs, 50), p99: percentile(latenciesMs, 99) },
    ttftMs: { p50: percentile(ttftMs, 50), p99: percentile(ttftMs, 99) },
    gapP99Ms: percentile(gapsMs, 99),
  };
}

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
