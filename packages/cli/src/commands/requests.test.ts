import type { ServerResponse } from 'node:http';
import { runCliProcess, spawnCli } from '@tallygate/testkit/cli-process';
import { stubRequest } from '@tallygate/testkit/stub-admin-data';
import type { StubRoute } from '@tallygate/testkit/stub-admin-server';
import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { describe, expect, it } from 'vitest';

const cli = stubbedCli();
const { run, serve } = cli;

describe('requests', () => {
  const rows = Array.from({ length: 1203 }, (_, i) => stubRequest({ id: `r${i}` }));

  /** Pages by keyset as the real one does. */
  const paged: StubRoute = ({ query }) => {
    const start = Number(query.get('cursor') ?? 0);
    const end = start + Number(query.get('limit'));
    return { json: { requests: rows.slice(start, end), nextCursor: end < rows.length ? String(end) : null } };
  };

  it('--json prints one object a line, newest first, with exactly the fields scripts rely on', async () => {
    await serve({ 'GET /api/requests': () => ({ json: { requests: [stubRequest()], nextCursor: null } }) });
    const { code, stdout } = await runCliProcess([
      'requests',
      '--data-dir',
      cli.dataDir,
      '--since',
      '2026-11-01T00:00:00Z',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(stubRequest());
    expect(JSON.parse(stdout)).toMatchObject({
      id: expect.any(String),
      upstreamRequestId: 'req_1',
      startedAt: '2026-11-22T10:00:00.000Z',
      status: 'ok',
      modelRequested: 'claude-sonnet-4-5',
      modelServed: 'claude-sonnet-4-5-20250929',
      provider: 'anthropic',
      tokens: {
        inputUncached: 1000,
        cacheRead: 0,
        cacheWrite5m: null,
        cacheWrite1h: null,
        outputVisible: 200,
        outputReasoning: null,
      },
      costUsd: '0.006',
      priceStatus: 'priced',
      settleStatus: 'final',
      latencyMs: 1500,
      ttftMs: 300,
    });
  });

  it.each([
    [50, []],
    [1, ['--limit', '1']],
    [501, ['--limit', '501']],
    [1203, ['--limit', '5000']],
  ])('prints %i of 1203 with %j, across pages', async (expected, args) => {
    await serve({ 'GET /api/requests': paged });
    const { out } = await run(['requests', '--json', ...args]);
    const ids = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(rows.slice(0, expected).map((row) => row.id));
  });

  it('passes range and filters on', async () => {
    const server = await serve({ 'GET /api/requests': () => ({ json: { requests: [], nextCursor: null } }) });
    const { out } = await run([
      'requests',
      '--since',
      '1h',
      '--until',
      '2026-11-22',
      '--tag',
      'x',
      '--status',
      'timeout',
    ]);
    expect(out).toBe('No requests in this range.\n');
    expect(Object.fromEntries(server.calls[0]?.query ?? [])).toEqual({
      from: '2026-11-22T11:00:00.000Z',
      to: '2026-11-22T00:00:00.000Z',
      tag: 'x',
      status: 'timeout',
      limit: '50',
    });
  });

  it('marks what has no price or no final usage', async () => {
    const odd = [
      stubRequest({ costUsd: null, priceStatus: 'unpriced' }),
      stubRequest({
        costUsd: null,
        priceStatus: 'no_usage',
        settleStatus: 'interrupted',
        status: 'interrupted',
        httpStatus: null,
      }),
      stubRequest({ settleStatus: 'estimated' }),
    ];
    await serve({ 'GET /api/requests': () => ({ json: { requests: odd, nextCursor: null } }) });
    const costs = (await run(['requests'])).out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[6]);
    expect(costs).toEqual(['unpriced', 'no usage (interrupted)', '0.006000 (estimated)']);
  });

  it('a closed pipe ends it quietly', async () => {
    await serve({ 'GET /api/requests': paged });
    const running = spawnCli(['requests', '--limit', '1203', '--json', '--data-dir', cli.dataDir]);
    running.child.stdout?.once('data', () => running.child.stdout?.destroy());
    const { code, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('requests --follow', () => {
  const event = (seq: number, id: string) =>
    `id: ${seq}\nevent: request\ndata: ${JSON.stringify(stubRequest({ id }))}\n\n`;
  const earlier = [stubRequest({ id: 'e2' }), stubRequest({ id: 'e1' })];

  function openStream(response: ServerResponse, first: string) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`: open\n\n${first}`);
  }

  it('shows the last ones, oldest first, then new ones, none twice, until interrupted', async () => {
    let send: (text: string) => void = () => {};
    await serve({
      'GET /api/requests': () => ({ json: { requests: earlier, nextCursor: null } }),
      'GET /api/requests/stream': (_call, response) => {
        openStream(response, event(5, 'e2'));
        send = (text) => response.write(text);
        return undefined;
      },
    });
    const running = spawnCli(['requests', '--follow', '--json', '--data-dir', cli.dataDir]);
    await running.printed('"e2"');
    send(event(6, 'n1'));
    await running.printed('"n1"');
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['e1', 'e2', 'n1']);
  });

  it('resumes after a lost connection where it was (WT-16)', async () => {
    const open: ServerResponse[] = [];
    const server = await serve({
      'GET /api/requests': () => ({ json: { requests: [], nextCursor: null } }),
      'GET /api/requests/stream': (_call, response) => {
        openStream(response, open.length === 0 ? event(6, 'n1') : event(7, 'n2'));
        open.push(response);
        return undefined;
      },
    });
    const running = spawnCli(['requests', '--follow', '--json', '--model', 'm', '--data-dir', cli.dataDir]);
    await running.printed('"n1"');
    open[0]?.destroy();
    await running.printed('"n2"');
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
    const streams = server.calls.filter(({ path }) => path.endsWith('/stream'));
    expect(streams.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '6']);
    expect(streams.map(({ query }) => query.get('model'))).toEqual(['m', 'm']);
  });

  it('misses nothing when the first connection is lost before it said anything', async () => {
    let connections = 0;
    const server = await serve({
      'GET /api/requests': () => {
        const late = connections === 1 ? [] : [stubRequest({ id: 'late' })];
        return { json: { requests: [...late, ...earlier], nextCursor: null } };
      },
      'GET /api/requests/stream': (_call, response) => {
        connections += 1;
        openStream(response, '');
        if (connections === 1) response.end();
        return undefined;
      },
    });
    const running = spawnCli(['requests', '--follow', '--json', '--data-dir', cli.dataDir]);
    await running.printed('"late"');
    running.child.kill('SIGTERM');
    const { stdout } = await running.finished;
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['e1', 'e2', 'late']);
    expect(server.calls).toHaveLength(4);
  });

  it('a refusal ends it', async () => {
    const error = {
      code: 'permission_denied',
      message: 'This credential may not do that.',
      requestId: 'r',
      docs: '',
    };
    await serve({ 'GET /api/requests/stream': () => ({ status: 403, json: { error } }) });
    expect(await run(['requests', '--follow'])).toMatchObject({
      code: 1,
      error: expect.stringContaining('may not'),
    });
  });
});
