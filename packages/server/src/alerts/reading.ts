import type { Environment } from '@tallygate/contract/api/projects';
import type { AlertFact } from '../store/ports/alerts.ts';

/** What a rule says of one of its subjects right now. */
export interface Reading {
  /** Stable name of the subject within its rule: an environment, a budget's step, an account, a key. */
  subject: string;
  environment: Environment | null;
  firing: boolean;
  /** Since when, where the rule can tell; null stands for now. */
  sinceMs: number | null;
  title: string;
  text: string;
  facts: AlertFact[];
  /** The place in the dashboard that shows what it is about. */
  path?: string;
  /** Asked only when people are told: what it consists of. */
  explain?(): Promise<AlertFact[]>;
  /** Of several edges of one group at once, only that of the highest rank is told. */
  group?: string;
  rank?: number;
}
