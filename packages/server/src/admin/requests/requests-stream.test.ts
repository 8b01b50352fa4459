import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { SAMPLE_WORKSPACE_ID, sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventSink } from '../route.ts';
import { createLedgerTail } from './ledger-tail.ts';
import { prepareRequestStream } from './requests-stream.ts';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

/** A reader that takes one event and then nothing more. */
function stalledSink(): EventSink & { sent: number } {
  const listeners: (() => void)[] = [];
  const sink = {
    sent: 0,
    open: true,
    send: () => {
      if (sink.open) sink.sent += 1;
      return sink.open;
    },
    drained: () => new Promise<void>((resolve) => listeners.push(resolve)),
    onClose: (listener: () => void) => void listeners.push(listener),
    onBeat: () => undefined,
    close() {
      sink.open = false;
      for (const listener of listeners.splice(0)) listener();
    },
  };
  return sink;
}

it('drops a reader that falls too far behind, so that nothing piles up for it', async () => {
  const deps = { ...world.deps, tail: createLedgerTail(world.deps) };
  const start = await prepareRequestStream(deps, {
    principal: { kind: 'local', workspaceId: SAMPLE_WORKSPACE_ID },
    workspaceId: SAMPLE_WORKSPACE_ID,
    params: {},
    query: {},
    body: {},
    requestId: 'x',
    origin: { address: null, userAgent: null },
    site: { host: undefined, secure: false, proxied: false, pageOrigin: null },
    flowCookie: null,
    lastEventId: null,
    path: '/',
    acceptEncoding: '',
    wantsHtml: false,
  });
  const sink = stalledSink();
  await start(sink);
  let committed = 0;
  while (sink.open && committed < 4_000) {
    const batch = Array.from({ length: 400 }, () =>
      sampleSettled(`r${committed++}`, { startedAtMs: world.clock.ms }),
    );
    const checkpoint = { nodeId: 'n', committed: { segment: 0, offset: committed }, lowWaterSegment: 0 };
    await world.deps.store.ledger.commit(batch, checkpoint);
    world.feed.announce();
  }
  await expect.poll(() => sink.open).toBe(false);
  expect(sink.sent).toBeLessThanOrEqual(1);
});
