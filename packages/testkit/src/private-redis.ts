import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { spawnTied } from './tied-process.ts';

/** A Redis of the test's own, which may be frozen, emptied and killed. */
export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  /** Stops it in its tracks: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Sends a command on a connection of its own and gives the raw answer. */
  command(...words: string[]): Promise<string>;
  /** Ends it without warning; what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisTarget {
  /** Why nothing can be tested here; null when it can. */
  skipped: string | null;
  start(): Promise<PrivateRedis>;
}

/** Starts servers with the program `redis-server`. Skips, saying why, without it; with `redis` in `REQUIRE` that is a failure. */
export function redisTarget(): RedisTarget {
  const found = spawnSync('redis-server', ['--version']).status === 0;
  const skipped = found ? null : 'there is no redis-server on this machine';
  if (!found) {
    if ((process.env.REQUIRE ?? '').split(',').includes('redis'))
      throw new Error(`REQUIRE=redis, but ${skipped}`);
    console.warn(`skipped: ${skipped}`);
  }
  return { skipped, start: startRedis };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function ask(port: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString('utf8'));
    });
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
  });
}

async function startRedis(): Promise<PrivateRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'tallygate-redis-'));
  const port = await freePort();
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const options = {
      port,
      bind: '127.0.0.1',
      dir,
      save: '',
      appendonly: 'no',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    child = spawnTied('redis-server', args, { stdio: 'ignore' });
    await eventually(
      'Redis answers',
      () =>
        ask(port, ['PING']).then(
          (text) => text.startsWith('+PONG'),
          () => false,
        ),
      30_000,
    );
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    command: (...words) => ask(port, words),
    kill,
    restart: start,
    async stop() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
