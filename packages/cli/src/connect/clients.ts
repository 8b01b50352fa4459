/** Where a client sends requests, and what stands for the key in its settings. */
export interface Gate {
  /** Without a slash at the end, without `/v1`. */
  baseUrl: string;
  /** The key as shell text: a placeholder, `$VARIABLE`, or the key itself right after it was made. */
  key: string;
}

export interface Snippet {
  /** Where it goes: a file, a shell, a program. */
  where: string;
  text: string;
}

/** What one client needs. */
export interface ClientSettings {
  title: string;
  /** Variables the client reads by itself; empty when it reads none. */
  env: Readonly<Record<string, string>>;
  snippets: readonly Snippet[];
  notes: readonly string[];
}

function exports(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}="${value}"`)
    .join('\n');
}

const shell = (env: Readonly<Record<string, string>>): Snippet => ({ where: 'Shell', text: exports(env) });

function claudeCode({ baseUrl, key }: Gate): ClientSettings {
  const env = { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_AUTH_TOKEN: key };
  return {
    title: 'Claude Code',
    env,
    snippets: [shell(env), { where: '~/.claude/settings.json', text: JSON.stringify({ env }, null, 2) }],
    notes: [
      'Unset ANTHROPIC_API_KEY: with both set, Claude Code sends two credentials.',
      'Start Claude Code again; /status shows the base URL in use.',
      'With --write this is merged into ~/.claude/settings.json.',
    ],
  };
}

function codex({ baseUrl, key }: Gate): ClientSettings {
  const env = { TALLYGATE_API_KEY: key };
  const toml = [
    'model_provider = "tallygate"   # above all tables',
    '',
    '[model_providers.tallygate]',
    'name = "Tallygate"',
    `base_url = "${baseUrl}/v1"`,
    'env_key = "TALLYGATE_API_KEY"',
    'wire_api = "responses"',
  ].join('\n');
  return {
    title: 'Codex CLI',
    env,
    snippets: [{ where: '~/.codex/config.toml', text: toml }, shell(env)],
    notes: ['Codex reads its settings only when it starts.'],
  };
}

function anthropic({ baseUrl, key }: Gate): ClientSettings {
  const env = { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_API_KEY: key };
  return {
    title: 'Anthropic SDKs',
    env,
    snippets: [
      shell(env),
      {
        where: 'TypeScript',
        text: `import Anthropic from '@anthropic-ai/sdk';\nconst client = new Anthropic({ baseURL: '${baseUrl}', apiKey: process.env.ANTHROPIC_API_KEY });`,
      },
      {
        where: 'Python',
        text: `import os\nfrom anthropic import Anthropic\nclient = Anthropic(base_url="${baseUrl}", api_key=os.environ["ANTHROPIC_API_KEY"])`,
      },
    ],
    notes: ['Both SDKs read the two variables by themselves; the code is needed only without them.'],
  };
}

function openai({ baseUrl, key }: Gate): ClientSettings {
  const env = { OPENAI_BASE_URL: `${baseUrl}/v1`, OPENAI_API_KEY: key };
  return {
    title: 'OpenAI SDKs, and anything that speaks the OpenAI API',
    env,
    snippets: [
      shell(env),
      {
        where: 'TypeScript',
        text: `import OpenAI from 'openai';\nconst client = new OpenAI({ baseURL: '${baseUrl}/v1', apiKey: process.env.OPENAI_API_KEY });`,
      },
      {
        where: 'Python',
        text: `import os\nfrom openai import OpenAI\nclient = OpenAI(base_url="${baseUrl}/v1", api_key=os.environ["OPENAI_API_KEY"])`,
      },
    ],
    notes: ['Both SDKs read the two variables by themselves; the code is needed only without them.'],
  };
}

function vercelAi({ baseUrl, key }: Gate): ClientSettings {
  const env = { TALLYGATE_API_KEY: key };
  const text = [
    "import { createAnthropic } from '@ai-sdk/anthropic';",
    "import { createOpenAI } from '@ai-sdk/openai';",
    '',
    `const gate = { baseURL: '${baseUrl}/v1', apiKey: process.env.TALLYGATE_API_KEY };`,
    'const anthropic = createAnthropic(gate);',
    'const openai = createOpenAI(gate);',
  ].join('\n');
  return { title: 'Vercel AI SDK', env, snippets: [{ where: 'TypeScript', text }, shell(env)], notes: [] };
}

function curl({ baseUrl, key }: Gate): ClientSettings {
  const anthropicCall = [
    `curl ${baseUrl}/v1/messages \\`,
    `  -H "x-api-key: ${key}" \\`,
    '  -H "anthropic-version: 2023-06-01" \\',
    '  -H "content-type: application/json" \\',
    `  -d '{"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"Hello"}]}'`,
  ].join('\n');
  const openaiCall = [
    `curl ${baseUrl}/v1/chat/completions \\`,
    `  -H "authorization: Bearer ${key}" \\`,
    '  -H "content-type: application/json" \\',
    `  -d '{"model":"gpt-5-mini","messages":[{"role":"user","content":"Hello"}]}'`,
  ].join('\n');
  return {
    title: 'curl',
    env: {},
    snippets: [
      { where: 'Anthropic Messages API', text: anthropicCall },
      { where: 'OpenAI Chat Completions API', text: openaiCall },
    ],
    notes: [],
  };
}

/** Every client there are settings for, by the word typed after `connect`. */
export const CLIENTS = {
  'claude-code': claudeCode,
  codex,
  anthropic,
  openai,
  'vercel-ai': vercelAi,
  curl,
} as const satisfies Record<string, (gate: Gate) => ClientSettings>;

export type ClientId = keyof typeof CLIENTS;
export const CLIENT_IDS = Object.keys(CLIENTS) as ClientId[];
