/** Bounds what the bodies of all requests take up in memory together, whoever sends them and however slowly. */
export class BodyRoom {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when there is no room for them; then nothing was taken. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#maxBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#heldBytes -= bytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }
}

/** What one body takes up of the room, until it is given back: once, whoever is first to know that the body is gone. */
export class BodyPlace {
  readonly #room: BodyRoom;
  #bytes: number;

  /** @param bytes taken for it */
  constructor(room: BodyRoom, bytes: number) {
    this.#room = room;
    this.#bytes = bytes;
  }

  give(): void {
    this.#room.give(this.#bytes);
    this.#bytes = 0;
  }
}
