import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { endChild, forkModule, hasProgram, nextMessage, pinPrefix, TARGET_CORE } from './child.ts';
import type { Quantiles } from './load-types.ts';
import { childPids } from './proc.ts';
import { MODEL } from './wire-bytes.ts';

export interface LoopDelay {
  p999Ms: number;
  maxMs: number;
}

/** Something that answers the load: the upstream itself, or a proxy in front of it. */
export interface Target {
  name: string;
  port: number;
  /** What the load generator sends as its key. */
  key: string;
  /** Processes whose CPU and memory count; empty for the upstream itself, which is not measured. */
  pids(): number[];
  /** Event loop delay since the start, where the target can tell. */
  loopDelay(): Promise<LoopDelay | null>;
  /** Checks what the target has recorded against the number of finished requests; null when it records nothing. */
  verify(finished: number): Promise<{ rows: number; costUsd: string } | null>;
  stop(): Promise<void>;
}

const SERVER_KEY = 'bench-key-that-nobody-checks';
const nothing = async (): Promise<null> => null;

export function directTarget(upstreamPort: number): Target {
  return {
    name: 'direct',
    port: upstreamPort,
    key: SERVER_KEY,
    pids: () => [],
    loopDelay: nothing,
    verify: nothing,
    stop: async () => {},
  };
}

export async function startBare(upstreamPort: number): Promise<Target> {
  const child = forkModule('./bare-proxy.ts', [`http://127.0.0.1:${upstreamPort}`], TARGET_CORE);
  const { port } = await nextMessage<{ port: number }>(child);
  return {
    name: 'bare',
    port,
    key: SERVER_KEY,
    pids: () => [child.pid ?? 0],
    async loopDelay() {
      const answer = nextMessage<{ loopDelayMs: { p999: number; max: number } }>(child);
      child.send('loop delay');
      const { loopDelayMs } = await answer;
      return { p999Ms: loopDelayMs.p999, maxMs: loopDelayMs.max };
    },
    verify: nothing,
    stop: () => endChild(child),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await sleep(10);
  }
  throw new Error(`nothing listens on port ${port}`);
}

function nginxConfig(dir: string, port: number, upstreamPort: number): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((n) => `${n}_temp_path ${dir}/${n};`)
    .join('\n');
  return `
worker_processes 1;
daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  ${temp}
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000000;
  client_body_buffer_size 256k;
  client_max_body_size 64m;
  upstream mock { server 127.0.0.1:${upstreamPort}; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering on;
    }
  }
}`;
}

/** Null when nginx is not installed. */
export async function startNginx(upstreamPort: number): Promise<Target | null> {
  if (!hasProgram('nginx', '-v')) return null;
  const dir = mkdtempSync(join(tmpdir(), 'tallygate-bench-nginx-'));
  const port = await freePort();
  const file = join(dir, 'nginx.conf');
  writeFileSync(file, nginxConfig(dir, port, upstreamPort));
  const args = ['nginx', '-p', dir, '-c', file, '-e', join(dir, 'error.log')];
  const [command = 'nginx', ...rest] = [...pinPrefix(TARGET_CORE), ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilListening(port);
  return {
    name: 'nginx',
    port,
    key: SERVER_KEY,
    pids: () => [child.pid ?? 0, ...childPids(child.pid ?? 0)],
    loopDelay: nothing,
    verify: nothing,
    async stop() {
      await endChild(child, 'SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Reads the event loop delay out of a Prometheus text; null when it is not there. */
export function readLoopDelay(metrics: string): LoopDelay | null {
  const gauges = metrics
    .split('\n')
    .map((line) => /^tallygate_event_loop_delay_seconds\{.*quantile="([^"]+)".*\} (\S+)$/.exec(line))
    .filter((match) => match !== null);
  const find = (wanted: (quantile: string) => boolean): number | null => {
    const match = gauges.find(([, quantile = '']) => wanted(quantile));
    return match ? Number(match[2]) * 1000 : null;
  };
  // A quantile that was computed as 99.9 / 100 is not exactly 0.999.
  const p999Ms = find((quantile) => Math.abs(Number(quantile) - 0.999) < 1e-9);
  const maxMs = find((quantile) => quantile === 'max' || quantile === '1');
  return p999Ms === null || maxMs === null ? null : { p999Ms, maxMs };
}

const DRAIN_TIMEOUT_MS = 120_000;

/** Every request that a client saw finished must be in the ledger, and nothing else (CF-17). */
async function verifyLedger(gate: Gate, finished: number): Promise<{ rows: number; costUsd: string }> {
  const deadline = performance.now() + DRAIN_TIMEOUT_MS;
  for (;;) {
    const { totals } = await gate.totals();
    if (totals.requests >= finished || performance.now() > deadline) {
      return { rows: totals.requests, costUsd: totals.costUsd };
    }
    await sleep(200);
  }
}

/** A budget of every scope but `user`, for there is none; the requests of the load fall under the first six. None is ever used up. */
async function addBudgets(gate: Gate): Promise<void> {
  const [[key], [account]] = [gate.keys, gate.accounts];
  if (key === undefined || account === undefined) throw new Error('the gate has no key or no account');
  const matching = ['project:default', `key:${key.id}`, `model:${MODEL}`, 'provider:anthropic'];
  const scopes = [
    'workspace',
    ...matching,
    `account:${account.id}`,

    'session:none',
    'tag:none',
  ];
  for (const scope of scopes)
    await gate.admin('POST', '/api/budgets', { scope, window: 'day', mode: 'hard', limitUsd: '1000000' });
}

/** Limits of each kind, which all requests of the load count in. None is ever reached. */
async function addLimits(gate: Gate): Promise<void> {
  const amount = 1_000_000_000;
  const limits = [
    { scope: 'workspace', measure: 'tokens', window: 'minute' },
    { scope: 'workspace', per: 'key', measure: 'requests', window: 'minute' },
    { scope: 'project:default', per: 'account', measure: 'output_tokens', window: 'hour' },
    { scope: 'workspace', per: 'key', measure: 'concurrent_requests' },
  ];
  for (const limit of limits) await gate.admin('POST', '/api/limits', { ...limit, limit: amount });
}

/** What decides about requests beside keys: nothing, a budget of every scope, or limits as well. */
export type Deciding = 'keys' | 'budgets' | 'limits';

/** The gate with everything on: keys, journal, ledger, metrics; and with budgets and limits where that is asked. */
export async function startTallygate(upstreamPort: number, deciding: Deciding): Promise<Target> {
  const gate = await startGate({
    accounts: [{ provider: 'anthropic', baseUrl: `http://127.0.0.1:${upstreamPort}` }],
    keys: [{ scopes: ['gateway', 'read'] }],
    config: { TALLYGATE_LOG_LEVEL: 'warn' },
    prefix: pinPrefix(TARGET_CORE),
  });
  if (deciding !== 'keys') await addBudgets(gate);
  if (deciding === 'limits') await addLimits(gate);
  return {
    name: deciding === 'keys' ? 'tallygate' : `tallygate+${deciding}`,
    port: gate.port,
    key: gate.key,
    pids: () => [gate.pid],
    async loopDelay() {
      const answer = await fetch(`${gate.url}/metrics`, { headers: { authorization: `Bearer ${gate.key}` } });
      return answer.ok ? readLoopDelay(await answer.text()) : null;
    },
    verify: (finished) => verifyLedger(gate, finished),
    stop: () => gate.stop(),
  };
}

/** Difference of two latencies, never below what rounding makes of zero. */
export function added(through: Quantiles, direct: Quantiles): Quantiles {
  const minus = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);
  return { p50: minus(through.p50, direct.p50), p99: minus(through.p99, direct.p99) };
}
