import type { HeldPart } from '../budget-hold.ts';

/** A hold as the shared state keeps it: when the request started, what it was clamped to, what each window keeps back. */
export interface HoldText {
  startedAtMs: number;
  clampedTo: number | null;
  parts: { budgetId: string; windowStartMs: number; amount: number }[];
}

/** What a budget's window is called in the shared state. */
export function windowName(budgetId: string, windowStartMs: number): string {
  return `${budgetId}:${windowStartMs}`;
}

/** Amounts are whole numbers below 2^53, which Lua's doubles count exactly; more would not be a limit of anything. */
export function wholeText(amount: number): string {
  return Math.min(Math.max(0, Math.ceil(amount)), Number.MAX_SAFE_INTEGER).toString();
}

/** Scripts read the part after the second bar: `name=amount,name=amount`. */
export function holdText(
  hold: { startedAtMs: number; clampedTo: number | null; parts: readonly HeldPart[] },
  counted: boolean,
): string {
  const parts = hold.parts
    .map(({ account, window, amount }) => {
      const name = windowName(account.budget.id, window.startMs);
      return `${name}=${wholeText(counted ? amount : 0)}`;
    })
    .join(',');
  return `${hold.startedAtMs}|${hold.clampedTo ?? ''}|${parts}`;
}

export function readHoldText(text: string): HoldText {
  const [started = '', clamped = '', list = ''] = text.split('|');
  const parts = list === '' ? [] : list.split(',').map(readPart);
  return { startedAtMs: Number(started), clampedTo: clamped === '' ? null : Number(clamped), parts };
}

function readPart(text: string): HoldText['parts'][number] {
  const [name = '', amount = ''] = text.split('=');
  const colon = name.lastIndexOf(':');
  return {
    budgetId: name.slice(0, colon),
    windowStartMs: Number(name.slice(colon + 1)),
    amount: Number(amount),
  };
}
