import type { AlertEventRow, AlertRuleRow } from '../store/ports/alerts.ts';
import type { Reading } from './reading.ts';

/** Why a rule judges nothing any more. */
export type Ending = 'switched off' | 'removed';

/** What is said of a subject whose rule ended while it fired: whether it is over nobody knows. */
export function closedReading(about: {
  rule: Pick<AlertRuleRow, 'name' | 'environment'>;
  subject: string;
  ending: Ending;
  /** The notice that it fires; null when that is long ago. */
  fired: Pick<AlertEventRow, 'title' | 'environment' | 'facts' | 'path'> | null;
}): Reading {
  const { rule, subject, ending, fired } = about;
  return {
    subject,
    environment: fired?.environment ?? rule.environment,
    firing: false,
    sinceMs: null,
    title: `No longer watched: ${fired?.title ?? rule.name}`,
    text: `The rule ${rule.name} was ${ending} while this fired. Whether it is over is not watched any more.`,
    facts: fired?.facts ?? [],
    ...(fired === null || fired.path === null ? {} : { path: fired.path }),
  };
}
