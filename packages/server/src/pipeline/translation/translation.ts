import type { AnswerContext, Format } from '../../translate/hub/format.ts';
import type { InputSize } from './input-size.ts';

/** What the way back needs to know of a request that was translated. */
export interface Translation {
  client: Format;
  upstream: Format;
  context: AnswerContext;
  /** Whether the client waits for events or for one body. */
  stream: boolean;
  /** Names of what the request lost. */
  dropped: readonly string[];
  /** How large the input is: its estimate learns from what the upstream counts. */
  size: InputSize;
}
