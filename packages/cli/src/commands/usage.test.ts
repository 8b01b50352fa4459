import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCliProcess } from '@tallygate/testkit/cli-process';
import { stubSums, stubTotals } from '@tallygate/testkit/stub-admin-data';
import type { StubRoute } from '@tallygate/testkit/stub-admin-server';
import { startStubAdminServer } from '@tallygate/testkit/stub-admin-server';
import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { describe, expect, it } from 'vitest';

const cli = stubbedCli();
const { run, serve } = cli;

describe('usage', () => {
  const routes: Record<string, StubRoute> = {
    'GET /api/usage/totals': () => ({ json: stubTotals() }),
    'GET /api/usage/breakdown': (call) => ({
      json: {
        from: call.query.get('from'),
        to: call.query.get('to'),
        group: call.query.get('group'),
        rows: [{ ...stubSums(), key: 'm', label: 'claude-sonnet-4-5' }],
      },
    }),
  };

  it('asks for the range and the filters', async () => {
    const server = await serve(routes);
    await run(['usage', '--range', '7d', '--group', 'project', '--model', 'a,b', '--status', 'ok', '--json']);
    const [totals, breakdown] = server.calls;
    expect(Object.fromEntries(totals?.query ?? [])).toEqual({
      from: '2026-11-15T12:00:00.000Z',
      to: '2026-11-22T12:00:00.000Z',
      model: 'b',
      status: 'ok',
    });
    expect(totals?.query.getAll('model')).toEqual(['a', 'b']);
    expect(breakdown?.query.get('group')).toBe('project');
  });

  it('shows units in the headers, exact cost, and marks what is not exact', async () => {
    await serve(routes);
    const { out } = await run(['usage'], { outIsTerminal: true, columns: 200, env: { NO_COLOR: '1' } });
    expect(out).toContain(
      'Cost (USD)               12.345678901 + unknown: 3 requests unpriced (4,500 tokens)',
    );
    expect(out).toContain('Latency p50/p95/p99      812 ms / 4200 ms / 12.4 s');
    expect(out).toContain('First token p50/p95/p99  – / – / –');
    expect(out).toContain('3 unpriced, 2 estimated, 1 interrupted');
    expect(out).toContain('Output (tokens/s)        38.2');
    const [head = '', row = ''] = out.trimEnd().split('\n').slice(-2);
    expect(head).toMatch(/^MODEL +REQUESTS +ERRORS +INPUT \(TOKENS\) .* COST \(USD\) +NOT EXACT$/);
    expect(row).toMatch(/^claude-sonnet-4-5 +1,234 +12 +10,000 +90,000 +500 +7,000 +12\.345679 +3 unpriced/);
  });

  it('--times asks how fast each group was, and shows it (CF-11)', async () => {
    const latency = { count: 4, p50Ms: 900, p95Ms: 2000, p99Ms: 12_000 };
    const times = { latency, ttft: { ...latency, p50Ms: 120 }, outputTokensPerSecond: 41.26 };
    const server = await serve({
      ...routes,
      'GET /api/usage/breakdown': () => ({
        json: { from: '', to: '', group: 'model', rows: [{ ...stubSums(), key: 'm', label: 'm', times }] },
      }),
    });
    const { out } = await run(['usage', '--times'], {
      outIsTerminal: true,
      columns: 300,
      env: { NO_COLOR: '1' },
    });
    expect(server.calls[1]?.query.get('times')).toBe('true');
    const [head = '', row = ''] = out.trimEnd().split('\n').slice(-2);
    expect(head).toMatch(/P50 +P95 +P99 +FIRST TOKEN P50 +OUTPUT \(TOKENS\/S\) +CACHE HITS$/);
    expect(row).toMatch(/900 ms +2000 ms +12\.0 s +120 ms +41\.3 +89\.\d %$/);
  });

  it('--json carries the exact sums', async () => {
    await serve(routes);
    const body = JSON.parse((await run(['usage', '--json'])).out);
    expect(body.totals.costUsd).toBe('12.345678901');
    expect(body.breakdown).toMatchObject({ group: 'model', rows: [{ label: 'claude-sonnet-4-5' }] });
  });
});

describe('rollups', () => {
  it('rebuild', async () => {
    const answer = {
      from: '2026-11-15T00:00:00.000Z',
      to: '2026-11-22T00:00:00.000Z',
      events: 5,
      rollupRows: 9,
    };
    const server = await serve({ 'POST /api/rollups/rebuild': () => ({ json: answer }) });
    expect(JSON.parse((await run(['rollups', 'rebuild', '--since', '7d', '--json'])).out)).toEqual(answer);
    expect(server.calls[0]?.body).toEqual({ from: '2026-11-15T12:00:00.000Z' });
  });

  it('verify tells by its exit code (TW-21)', async () => {
    let differences: unknown[] = [];
    await serve({
      'POST /api/rollups/verify': () => ({
        json: { ok: differences.length === 0, bucketsChecked: 9, differences },
      }),
    });
    expect((await run(['rollups', 'verify'])).code).toBe(0);
    differences = [{ bucket: '2026-11-22T10', field: 'requests', rollup: '5', rows: '6' }];
    expect(await run(['rollups', 'verify'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('2026-11-22T10\trequests\t5\t6'),
    });
  });
});

describe('price', () => {
  const args = [
    'price',
    '--provider',
    'anthropic',
    '--model',
    'claude-sonnet-4-5',
    '--at',
    '2026-01-15T00:00:00Z',
  ];
  const answer = '{"usage":{"input_tokens":1000,"output_tokens":200}}';

  it('needs neither a server nor a data directory', async () => {
    await rm(cli.dataDir, { recursive: true });
    const { code, stdout } = await runCliProcess([
      ...args,
      '--answer-json',
      answer,
      '--json',
      '--data-dir',
      cli.dataDir,
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      costUsd: '0.006',
      priceStatus: 'priced',
      lines: expect.any(Array),
    });
    await expect(mkdir(cli.dataDir)).resolves.toBeUndefined();
  });

  it('takes the answer from a file or standard input', async () => {
    await writeFile(join(cli.dataDir, 'a.json'), answer);
    const fromFile = await run([...args, '--answer-json', '@a.json'], { cwd: cli.dataDir });
    const fromInput = await run([...args, '--answer-json', '-'], { input: answer });
    expect(fromFile.out).toContain('Cost (USD)\t0.006\n');
    expect(fromInput.out).toBe(fromFile.out);
  });

  it('an unknown price is null, never zero (X-03)', async () => {
    const unknown = [
      'price',
      '--provider',
      'anthropic',
      '--model',
      'claude-unheard-of-9',
      '--answer-json',
      answer,
      '--json',
    ];
    expect(JSON.parse((await run(unknown)).out)).toMatchObject({
      costUsd: null,
      priceStatus: 'unpriced',
      card: null,
    });
  });

  it('asks the named server, whose own prices count', async () => {
    const quote = { costUsd: '9', priceStatus: 'priced', card: 'own', lines: [] };
    const remote = await startStubAdminServer({ 'POST /api/prices/quote': () => ({ json: quote }) });
    try {
      const env = { TALLYGATE_ADMIN_KEY: 'tg_admin' };
      const { out } = await run([...args, '--answer-json', answer, '--server', remote.url, '--json'], {
        env,
      });
      expect(JSON.parse(out)).toEqual(quote);
      expect(remote.calls[0]?.body).toMatchObject({
        at: '2026-01-15T00:00:00.000Z',
        answer: JSON.parse(answer),
      });
    } finally {
      await remote.close();
    }
  });
});
