import type { UsageTotalsEvent } from '@tallygate/contract/api/usage';
import { visibleProject } from '../../identity/principal.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import type { Caller, EventSink } from '../route.ts';
import { totalsView } from './sums-view.ts';

const DAY_MS = 86_400_000;
/** A busy gate commits many times a second; nobody reads totals faster than this. */
const MIN_INTERVAL_MS = 1_000;

async function today(
  deps: AdminDeps,
  { principal, workspaceId }: Caller,
): Promise<{ id: string; data: UsageTotalsEvent }> {
  const fromMs = Math.floor(deps.clock.now() / DAY_MS) * DAY_MS;
  const projectId = visibleProject(principal);
  const filter = {
    workspaceId,
    fromMs,
    toMs: fromMs + DAY_MS,
    ...(projectId === null ? {} : { projectIds: [projectId] }),
  };
  // The sequence is read first: totals may then hold more than the id says, never less.
  const id = String(await deps.store.usage.lastLedgerSeq());
  const totals = totalsView(await deps.store.usage.totals(filter));
  return { id, data: { from: toIso(fromMs), to: toIso(fromMs + DAY_MS), totals } };
}

/**
 * Sends today's totals (UTC day) at once and again whenever they have changed, at most once a second; a new day
 * counts as a change.
 */
export async function streamTotals(deps: AdminDeps, call: Caller, sink: EventSink): Promise<void> {
  let last = '';
  let timer: NodeJS.Timeout | null = null;
  let busy = false;
  let dirty = false;

  async function send(): Promise<void> {
    const { id, data } = await today(deps, call);
    const text = JSON.stringify(data);
    if (text === last) return;
    last = text;
    sink.send({ event: 'totals', id, data });
  }

  async function refresh(): Promise<void> {
    timer = null;
    busy = true;
    dirty = false;
    try {
      await send();
    } catch (error) {
      deps.logger.warn('totals stream could not read the store', { error }); // the next change tries again
    }
    busy = false;
    if (dirty) schedule();
  }

  function schedule(): void {
    dirty = true;
    if (timer !== null || busy || !sink.open) return;
    timer = setTimeout(() => void refresh(), MIN_INTERVAL_MS);
  }

  const unsubscribe = deps.liveFeed.subscribe(schedule);
  sink.onBeat(schedule);
  sink.onClose(() => {
    unsubscribe();
    if (timer !== null) clearTimeout(timer);
  });
  await send();
}
