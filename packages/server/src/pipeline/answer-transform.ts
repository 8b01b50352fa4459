/** Changes the bytes of an answer on their way to the client; the meter reads them before. */
export interface AnswerTransform {
  /** The client gets nothing before the end, and the head waits with it. */
  readonly whole: boolean;
  /** The bytes to forward now, possibly none. */
  push(chunk: Buffer): Buffer;
  /** What is left when the upstream has ended. */
  end(): Buffer;
  /** What came in, where the client has seen none of it. */
  received(): readonly Buffer[];
  /** Names of what of the answer the client's format cannot carry. */
  losses(): Iterable<string>;
}
