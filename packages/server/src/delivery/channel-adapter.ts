import type { AlertSeverity, AlertState, ChannelKind, ChannelTarget } from '@tallygate/contract/api/alerts';
import type { Environment } from '@tallygate/contract/api/projects';
import type { Egress } from '../egress/egress.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Secret } from '../kernel/secret.ts';

/** What is told, whatever the channel. */
export interface Notice {
  /** The same for every try and every channel: receivers recognise a repetition by it. */
  eventId: string;
  state: AlertState;
  severity: AlertSeverity;
  environment: Environment | null;
  ruleId: string | null;
  ruleName: string;
  subject: string;
  atMs: number;
  sinceMs: number;
  title: string;
  text: string;
  facts: readonly { label: string; value: string }[];
  /** Where a browser shows what it is about; null while the server does not know its own address. */
  url: string | null;
}

/** What came of one try; `message` is shown and never quotes a secret. */
export interface SendResult {
  ok: boolean;
  status: number | null;
  message: string;
  /** The receiver asked not to be tried before this long has passed; null when it did not. */
  retryAfterMs: number | null;
}

/** What a channel is made of once its target was taken apart. */
export interface ChannelSetup {
  /** What may be shown, as JSON text. */
  config: string;
  /** What is sealed; null when there is nothing secret. */
  secret: Secret | null;
  /** Where it goes, for people. */
  destination: string;
  /** What the egress policy judges before anything is stored. */
  endpoint: { hostname: string; port: number; encrypted: boolean };
  /** A secret that was made here and is shown once. */
  madeSecret: Secret | null;
}

/** A stored channel, opened. */
export interface OpenChannel {
  config: string;
  secret: Secret | null;
  allowPrivate: boolean;
}

export interface DeliveryTools {
  egress: Pick<Egress, 'connections' | 'connect'>;
  clock: Clock;
}

/** One way to reach people. */
export interface ChannelAdapter {
  readonly kind: ChannelKind;
  /** Null when the target is of another kind. */
  configure(target: ChannelTarget, randomBytes: (size: number) => Uint8Array): ChannelSetup | null;
  /** What would be sent, for the preview. */
  render(notice: Notice): { contentType: string; body: string };
  /** Tries once, within a bounded time. Never rejects: what went wrong is said in words. */
  send(notice: Notice, channel: OpenChannel, tools: DeliveryTools): Promise<SendResult>;
}
