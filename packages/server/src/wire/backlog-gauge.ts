import { Gauge, type Registry } from 'prom-client';

/** Exposes how far the ledger is behind: rows of this process that are safe in the journal and not in the store yet. */
export function registerBacklogGauge(registry: Registry, backlogRows: () => number): void {
  new Gauge({
    name: 'tallygate_ledger_backlog_rows',
    help: 'Rows in the journal that are not in the store yet',
    registers: [registry],
    collect() {
      this.set(backlogRows());
    },
  });
}
