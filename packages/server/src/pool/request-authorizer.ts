/** A request as it is about to leave. */
export interface OutgoingRequest {
  method: string;
  path: string;
  headers: readonly string[];
  body: Buffer | null;
  /** Where it goes, for credentials that are bound to it. */
  origin: string;
}

/** Puts the credential on each request as it leaves, for accounts whose credential is more than a fixed header. */
export interface RequestAuthorizer {
  /** True when a request may go now. */
  ready(nowMs: number): boolean;
  /** Resolves when a request may go, within a bound. @throws AppError when it may not */
  prepare(): Promise<void>;
  /** The headers with the credential: flat list of name, value. */
  authorize(request: OutgoingRequest): string[];
  /** Number of the credential that `authorize` gives now; grows with every new one. */
  version(): number;
  /** The upstream answered 401 to this credential. @returns true when another try may have a new one */
  refused(version: number): boolean;
  /** It refused the new one, too: nothing helps but a person. */
  refusedAgain(version: number): void;
}
