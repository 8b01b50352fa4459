/** What the exchange learns; the settle stage turns it into ledger rows. */
export interface ExchangeFacts {
  httpStatus: number | null;
  upstreamRequestId: string | null;
  dispatchedAtMs: number;
  firstByteAtMs: number | null;
  firstContentAtMs: number | null;
  endedAtMs: number;
  responseBytes: number;
  /** False when nothing of the request can have reached the upstream. */
  sent: boolean;
}

/** Facts of an attempt that is dispatched now. */
export function startedFacts(nowMs: number): ExchangeFacts {
  return {
    httpStatus: null,
    upstreamRequestId: null,
    dispatchedAtMs: nowMs,
    firstByteAtMs: null,
    firstContentAtMs: null,
    endedAtMs: 0,
    responseBytes: 0,
    sent: false,
  };
}
