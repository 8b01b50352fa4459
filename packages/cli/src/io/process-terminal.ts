import { homedir } from 'node:os';
import type { Terminal } from './terminal.ts';

/** `head` closes the pipe when it has enough: that ends us quietly, as it ends every Unix filter. */
function endQuietlyOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

async function readInput(maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`standard input is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readLine(maxBytes: number): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > maxBytes) throw new RangeError(`the line is longer than ${maxBytes} characters`);
    if (text.includes('\n')) break;
  }
  return text.split('\n', 1)[0]?.trimEnd() ?? '';
}

function onInterrupt(listener: () => void): () => void {
  const stop = () => {
    process.off('SIGINT', once);
    process.off('SIGTERM', once);
  };
  const once = () => {
    stop();
    listener();
  };
  process.on('SIGINT', once);
  process.on('SIGTERM', once);
  return stop;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  endQuietlyOnClosedPipe(process.stdout);
  endQuietlyOnClosedPipe(process.stderr);
  return {
    writeOut: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    outIsTerminal: process.stdout.isTTY === true,
    errorIsTerminal: process.stderr.isTTY === true,
    columns: process.stdout.columns ?? 80,
    env: process.env,
    cwd: process.cwd(),
    runtime: `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`,
    homeDir: homedir(),
    uid: process.getuid?.() ?? null,
    now: () => new Date(),
    readInput,
    readLine,
    inputIsTerminal: process.stdin.isTTY === true,
    onInterrupt,
  };
}

/** The arguments after the program's name. */
export function processArguments(): string[] {
  return process.argv.slice(2);
}

/** Ends the process once everything written has left it. */
export function exitProcess(code: number): void {
  process.exitCode = code;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Keeps the process until released. A command ends when it says so: its idle threads and sockets do not hold
 * the process, and Node would leave with code 13 while it still waits for one of them.
 */
export function keepAlive(): () => void {
  const timer = setInterval(() => {}, LONGEST_TIMER_MS);
  return () => clearInterval(timer);
}
