import type { Terminal } from '../io/terminal.ts';

/** Colours of a terminal; every function is the identity when colour is off. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const sgr = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const plain = (text: string) => text;
const PLAIN: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain };
const COLOURED: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
};

/** Colour only on a terminal that has it, and only when neither `--no-color` nor NO_COLOR (no-color.org) says otherwise. */
export function styleFor(terminal: Terminal, stream: 'out' | 'error', wanted: boolean): Style {
  const isTerminal = stream === 'out' ? terminal.outIsTerminal : terminal.errorIsTerminal;
  const noColor = (terminal.env.NO_COLOR ?? '') !== '' || terminal.env.TERM === 'dumb';
  return wanted && isTerminal && !noColor ? COLOURED : PLAIN;
}

/**
 * Text from elsewhere (names, models, tags, messages) made safe to show: control characters, which could
 * move the cursor or retitle the terminal, and bidirectional overrides are replaced.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
