import type { requestStreamQuery } from '@tallygate/contract/api/usage';
import type { z } from 'zod';
import type { StoredEvent } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toMs } from '../instant.ts';
import { loadNames, type Names } from '../names.ts';
import { invalidInput } from '../parse-input.ts';
import type { Call, EventSink } from '../route.ts';
import { matchesFilter, sessionsOf, toFilter } from '../usage/filters.ts';
import type { LedgerTail } from './ledger-tail.ts';
import { requestView } from './request-view.ts';

/** Rows that may wait for one slow reader; beyond it the reader is dropped and resumes when it reconnects. */
const MAX_WAITING_ROWS = 2_000;

type StreamCall = Omit<Call<unknown, z.output<typeof requestStreamQuery>, unknown>, 'audit'>;

/** What a reconnecting client has seen wins over the address it was opened with (`EventSource` keeps the address). */
function resumePoint(call: StreamCall): number | null {
  if (call.lastEventId === null) return call.query.after ?? null;
  if (!/^\d{1,15}$/.test(call.lastEventId)) {
    throw invalidInput([
      { in: 'query', path: 'Last-Event-ID', message: 'must be an id that this stream has sent' },
    ]);
  }
  return Number(call.lastEventId);
}

function namesKnown(events: readonly StoredEvent[], names: Names): boolean {
  return events.every(
    (event) =>
      names.knows('project', event.projectId) &&
      (event.apiKeyId === null || names.knows('key', event.apiKeyId)) &&
      (event.accountId === null || names.knows('account', event.accountId)),
  );
}

/**
 * Prepares the live view: every request that passes the filters as it is committed; ids resume without gap or
 * repetition (WT-16).
 * @throws AppError `invalid_request` when the resume point is not one
 */
export async function prepareRequestStream(
  deps: AdminDeps & { tail: LedgerTail },
  call: StreamCall,
): Promise<(sink: EventSink) => Promise<void>> {
  // Decided before the client hears that the stream is open: whatever is committed after that, it gets.
  const after = resumePoint(call) ?? (await deps.store.usage.lastLedgerSeq());
  let names = await loadNames(deps.store.config, call.workspaceId);
  const filter = { ...toFilter(call.query, names, call), ...sessionsOf(call.query, deps) };
  const fromMs = call.query.from === undefined ? Number.NEGATIVE_INFINITY : toMs(call.query.from);
  const until = call.query.to === undefined ? Number.POSITIVE_INFINITY : toMs(call.query.to);
  const wanted = (event: StoredEvent): boolean =>
    matchesFilter(event, filter) && event.startedAtMs >= fromMs && event.startedAtMs < until;

  async function render(events: readonly StoredEvent[], sink: EventSink): Promise<void> {
    if (!sink.open) return;
    if (!namesKnown(events, names)) names = await loadNames(deps.store.config, call.workspaceId);
    for (const event of events) {
      const data = requestView(event, names);
      if (!sink.send({ event: 'request', id: String(event.ledgerSeq), data })) return;
      await sink.drained();
    }
  }

  return async (sink) => {
    // Batches are rendered one after the other: a reload of names must not let a later batch overtake.
    let turn: Promise<void> = Promise.resolve();
    let waitingRows = 0;
    await deps.tail.follow(after, {
      isOpen: () => sink.open,
      onClose: (listener) => sink.onClose(listener),
      deliver(events) {
        const chosen = events.filter(wanted);
        waitingRows += chosen.length;
        if (waitingRows > MAX_WAITING_ROWS) sink.close();
        turn = turn
          .then(() => render(chosen, sink))
          .catch(() => sink.close())
          .finally(() => {
            waitingRows -= chosen.length;
          });
        return turn;
      },
    });
  };
}
