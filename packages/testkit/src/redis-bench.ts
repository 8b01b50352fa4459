import { RedisLink } from '@tallygate/server/limits/redis/redis-link';
import type { Script } from '@tallygate/server/limits/redis/script';
import { afterAll, beforeAll } from 'vitest';
import { eventually } from './eventually.ts';
import { type PrivateRedis, redisTarget } from './private-redis.ts';

/** One Redis for the tests of a file, and a connection to it as the server has one. */
export interface RedisBench {
  skipped: boolean;
  server(): PrivateRedis;
  link(): RedisLink;
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
}

/** Starts it before the tests of the file that calls this, and stops it after them. The machine may be busy: it is waited for. */
export function redisBench(): RedisBench {
  const target = redisTarget();
  let started: { server: PrivateRedis; link: RedisLink } | null = null;
  const running = (): { server: PrivateRedis; link: RedisLink } => {
    if (started === null) throw new Error('Redis is not started');
    return started;
  };
  beforeAll(async () => {
    if (target.skipped !== null) return;
    const server = await target.start();
    const link = new RedisLink({
      ...{ url: server.url, deadlineMs: 5_000, patienceMs: 10_000 },
      onChange: () => undefined,
    });
    started = { server, link };
    link.connect();
    const answers = () =>
      link.command('PING').then(
        () => true,
        () => false,
      );
    await eventually('Redis is connected', answers);
  });
  afterAll(async () => {
    started?.link.close();
    await started?.server.stop();
  });
  return {
    skipped: target.skipped !== null,
    server: () => running().server,
    link: () => running().link,
    run: (script, keys, args) => running().link.run(script, keys, args.map(String)),
    command: (name, ...args) => running().link.command(name, ...args.map(String)),
  };
}
