import type { ServerResponse } from 'node:http';
import type { UpstreamController } from '../egress/http1/upstream-handler.ts';

/**
 * Reads the upstream no further until the client has taken what there is for it. One that takes nothing for so long is
 * cut off: its answer holds a connection upstream, slots of limits and the memory of its body.
 */
export function pauseForClient(
  response: ServerResponse,
  controller: Pick<UpstreamController, 'pause' | 'resume'>,
  stallMs: number,
): void {
  controller.pause();
  response.setTimeout(stallMs);
  response.once('drain', () => {
    response.setTimeout(0);
    controller.resume();
  });
}

/** The same for the last bytes of an answer, which nothing follows. */
export function boundTail(response: ServerResponse, stallMs: number): void {
  if (response.writableLength > 0) response.setTimeout(stallMs);
}
