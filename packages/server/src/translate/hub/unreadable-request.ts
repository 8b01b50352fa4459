/** A request that its own format does not allow, or that cannot be read for what it is. */
export class UnreadableRequest extends Error {
  override readonly name = 'UnreadableRequest';
}
