import type { JournalPosition } from '../journal/journal.ts';

/** Requests that are opened in the journal and not settled there, by where their opened entry starts. */
export class OpenRequests {
  /** In journal order, since the journal is read in order and a known id is never moved. */
  readonly #positions = new Map<string, JournalPosition>();

  get size(): number {
    return this.#positions.size;
  }

  open(id: string, start: JournalPosition): void {
    if (!this.#positions.has(id)) this.#positions.set(id, start);
  }

  settle(id: string): void {
    this.#positions.delete(id);
  }

  /** Where the opened entries are, oldest first. */
  positions(): JournalPosition[] {
    return [...this.#positions.values()];
  }

  clear(): void {
    this.#positions.clear();
  }

  /** The oldest segment that is still needed, or `otherwise` when that is older or nothing is open. */
  lowestSegment(otherwise: number): number {
    const oldest = this.#positions.values().next().value;
    return oldest === undefined ? otherwise : Math.min(oldest.segment, otherwise);
  }
}
