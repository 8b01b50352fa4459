import type { RuleActions, RuleConditions } from '@tallygate/contract/api/rules';
import { matchesGlob } from '../kernel/glob.ts';
import type { Condition, Rule, RuleSubject } from './rule.ts';

/** A header longer than this matches no pattern: whoever sends it decides how long it is. */
const MAX_VALUE_CHARS = 4_096;
const MINUTE_MS = 60_000;
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const anyOf = (names: readonly string[]): string => names.join(' or ');

function matchesAny(patterns: readonly string[], value: string | null): boolean {
  if (value === null || value.length > MAX_VALUE_CHARS) return false;
  for (const pattern of patterns) if (matchesGlob(pattern, value)) return true;
  return false;
}

/** Whether a pattern may match what is not there at all: a lone star says "any", and nothing is none. */
function headerCondition(name: string, pattern: string): Condition {
  return {
    text: `the header ${name} is ${pattern === '*' ? 'there' : pattern}`,
    holds: (subject) => matchesAny([pattern], subject.header(name)),
  };
}

type TimeWindow = NonNullable<RuleConditions['time']>;

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/** Day of the week (1 is Monday) and minute of the day, at a place. */
function localTime(format: Intl.DateTimeFormat, atMs: number): { day: number; minute: number } {
  let [day, hour, minute] = [1, 0, 0];
  for (const { type, value } of format.formatToParts(atMs)) {
    if (type === 'weekday') day = DAYS.indexOf(value) + 1;
    else if (type === 'hour') hour = Number(value) % 24;
    else if (type === 'minute') minute = Number(value);
  }
  return { day, minute: hour * 60 + minute };
}

function timeCondition(window: TimeWindow): Condition {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: window.timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  const days = new Set(window.days ?? [1, 2, 3, 4, 5, 6, 7]);
  const inside = (atMs: number): boolean => {
    const { day, minute } = localTime(format, atMs);
    if (from < to) return days.has(day) && minute >= from && minute < to;
    // Over midnight: what is after it belongs to the day before.
    if (minute >= from) return days.has(day);
    return minute < to && days.has(day === 1 ? 7 : day - 1);
  };
  // Formatting is slow beside everything else here, and every request of a minute gets the same answer.
  let asked = { minute: -1, answer: false };
  return {
    text: `it is ${window.from} to ${window.to} in ${window.timeZone}${
      window.days === undefined ? '' : ` on ${anyOf(window.days.map((day) => DAYS[day - 1] ?? ''))}`
    }`,
    holds: ({ atMs }) => {
      const minute = Math.floor(atMs / MINUTE_MS);
      if (asked.minute !== minute) asked = { minute, answer: inside(atMs) };
      return asked.answer;
    },
  };
}

function patternConditions({ models, users, headers }: RuleConditions): Condition[] {
  const found: Condition[] = [];
  if (models !== undefined)
    found.push({
      text: `the model is ${anyOf(models)}`,
      holds: (subject) => matchesAny(models, subject.model),
    });
  for (const { name, pattern } of headers ?? []) found.push(headerCondition(name, pattern));
  if (users !== undefined)
    found.push({
      text: `the user is ${anyOf(users)}`,
      holds: (subject) => matchesAny(users, subject.user()),
    });
  return found;
}

function bodyConditions({ systemContains, minTokens, maxTokens }: RuleConditions): Condition[] {
  const found: Condition[] = [];
  if (systemContains !== undefined)
    found.push({
      text: `the system prompt contains ${anyOf(systemContains.map((words) => `"${words}"`))}`,
      holds: (subject) => {
        const system = subject.system();
        return systemContains.some((words) => system.includes(words));
      },
    });
  if (minTokens !== undefined)
    found.push({
      text: `the input is estimated at ${minTokens} tokens or more`,
      holds: (subject: RuleSubject) => subject.estimatedTokens() >= minTokens,
    });
  if (maxTokens !== undefined)
    found.push({
      text: `the input is estimated at ${maxTokens} tokens or less`,
      holds: (subject: RuleSubject) => subject.estimatedTokens() <= maxTokens,
    });
  return found;
}

/** The cheap questions first: what has to be read out of the body is asked last. */
function compileConditions(given: RuleConditions): Condition[] {
  const found: Condition[] = [];
  const { keys, projects, time } = given;
  if (keys !== undefined) {
    const ids = new Set(keys);
    found.push({ text: 'the key is one of those named', holds: ({ keyId }) => ids.has(keyId) });
  }
  if (projects !== undefined) {
    const ids = new Set(projects);
    found.push({ text: 'the project is one of those named', holds: ({ projectId }) => ids.has(projectId) });
  }
  found.push(...patternConditions(given));
  if (time !== undefined) found.push(timeCondition(time));
  found.push(...bodyConditions(given));
  return found;
}

/**
 * Makes a rule ready to be asked.
 * @throws RangeError for a time zone that does not exist
 */
export function compileRule(given: {
  id: string;
  name: string;
  conditions: RuleConditions;
  actions: RuleActions;
}): Rule {
  const { id, name, conditions, actions } = given;
  return { id, name, conditions: compileConditions(conditions), actions };
}
