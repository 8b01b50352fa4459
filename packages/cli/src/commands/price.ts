import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PriceQuote } from '@tallygate/contract/api/system';
import { usageError } from '../cli-error.ts';
import { namedServer } from '../client/locate-server.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { optional, required } from '../options/option.ts';
import { instant } from '../options/parsers.ts';
import { formatCount } from '../output/numbers.ts';

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

interface QuoteInput {
  provider: string;
  model: string;
  at: Date;
  answer: unknown;
}

async function answerText(context: CommandContext, given: string): Promise<string> {
  if (given === '-') return context.terminal.readInput(MAX_ANSWER_BYTES);
  if (!given.startsWith('@')) return given;
  const path = resolve(context.terminal.cwd, given.slice(1));
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile())
    throw usageError(`--answer-json names a file that is not there: ${path}`);
  if (stat.size > MAX_ANSWER_BYTES)
    throw usageError(`The file of --answer-json is larger than ${MAX_ANSWER_BYTES} bytes.`);
  return readFileSync(path, 'utf8');
}

async function readAnswer(context: CommandContext, given: string): Promise<unknown> {
  const text = await answerText(context, given);
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(
      '--answer-json is not valid JSON.',
      'Quote it for the shell (\'{"usage": …}\'), name a file with @file, or pipe it in with -.',
    );
  }
}

/** The operator's own prices count wherever they are: on the named server, or in the store that is there. */
async function hasOwnPrices(context: CommandContext): Promise<boolean> {
  if (namedServer(context.terminal, context.globals) !== null) return true;
  const { paths, provenance } = await context.settings();
  return existsSync(paths.database) || (existsSync(paths.dir) && provenance.dbUrl.source !== 'default');
}

async function quote(context: CommandContext, input: QuoteInput): Promise<PriceQuote> {
  const { provider, model, at, answer } = input;
  if (await hasOwnPrices(context)) {
    return (await context.connect('read')).system.quote({ provider, model, at: at.toISOString(), answer });
  }
  const { quoteOffline } = await import('@tallygate/server/wire/price-quote');
  return quoteOffline({ provider, model, atMs: at.getTime(), answer });
}

export const price = defineCommand({
  name: 'price',
  summary: "What a provider's answer costs",
  description:
    'Prices an answer as the gate would: reads its usage, finds the rate card valid at that time, and multiplies in whole ' +
    'numbers. Prices of your own count when there is a data directory; otherwise none is needed, nor a server. An unknown ' +
    'price is null, never zero.',
  options: {
    provider: required('PROVIDER', 'Whose answer it is, such as anthropic'),
    model: required('MODEL', 'The model that was asked for'),
    at: optional('ISO', 'When it was answered (default: now)', instant),
    answerJson: required(
      'JSON',
      'The answer, or the part with its usage: JSON, @FILE, or - for standard input',
    ),
  },
  examples: [
    {
      command:
        'price --provider anthropic --model claude-sonnet-4-5 --at 2026-01-15T00:00:00Z --answer-json \'{"usage":{"input_tokens":1000,"output_tokens":200}}\' --json',
      explains: '{"costUsd","priceStatus","card","lines"}',
    },
    {
      command: 'price --provider openai --model gpt-5 --answer-json @answer.json',
      explains: "From a file, at today's price",
    },
  ],
  async handler(context, { provider, model, at, answerJson }) {
    const answer = await readAnswer(context, answerJson);
    const quoted = await quote(context, { provider, model, at: at ?? context.terminal.now(), answer });
    context.result(quoted, () => {
      const head = context.pairs([
        ['Cost (USD)', quoted.costUsd ?? `unknown (${quoted.priceStatus})`],
        ['Rate card', quoted.card ?? 'none'],
      ]);
      if (quoted.lines.length === 0) return head;
      const right = { align: 'right' } as const;
      const table = context.table(quoted.lines, [
        { header: 'MODEL', value: (line) => line.model },
        { header: 'UNIT', value: (line) => line.unit },
        { ...right, header: 'QUANTITY', value: (line) => formatCount(line.quantity) },
        { ...right, header: 'RATE (PICO-USD)', value: (line) => formatRate(line.ratePicoUsd) },
        { ...right, header: 'AMOUNT (USD)', value: (line) => line.amountUsd },
      ]);
      return `${head}\n${table}`;
    });
    return undefined;
  },
});

function formatRate(text: string): string {
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
