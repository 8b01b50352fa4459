type Dialect = 'anthropic' | 'openai' | 'gemini';

/** How one client is pointed at the gate: text that works as pasted. */
export interface Snippet {
  id: string;
  client: string;
  /** What to do with it, in a few words. */
  hint: string;
  dialect: Dialect;
  code: string;
}
export interface SnippetInput {
  /** Origin of the gate, without a slash at the end. */
  baseUrl: string;
  key: string;
  anthropicModel: string;
  openaiModel: string;
  geminiModel: string;
}

/** Snippets for every client, in the order in which people reach for them. */
export function clientSnippets(input: SnippetInput): Snippet[] {
  return [
    ...shellSnippets(input),
    ...anthropicSdkSnippets(input),
    ...openaiSdkSnippets(input),
    geminiSdkSnippet(input),
    {
      id: 'vercel',
      client: 'Vercel AI SDK',
      hint: 'npm install ai @ai-sdk/anthropic',
      dialect: 'anthropic',
      code: `import { createAnthropic } from '@ai-sdk/anthropic';
import { generateText } from 'ai';

const anthropic = createAnthropic({
  baseURL: '${input.baseUrl}/v1',
  apiKey: '${input.key}',
});

const { text } = await generateText({
  model: anthropic('${input.anthropicModel}'),
  prompt: 'Say hello in one word.',
});
console.log(text);`,
    },
  ];
}

function shellSnippets({ baseUrl, key, anthropicModel, openaiModel }: SnippetInput): Snippet[] {
  return [
    {
      id: 'claude-code',
      client: 'Claude Code',
      hint: 'Set these in the shell, then start it',
      dialect: 'anthropic',
      code: `export ANTHROPIC_BASE_URL=${baseUrl}
export ANTHROPIC_AUTH_TOKEN=${key}
claude`,
    },
    {
      id: 'curl-anthropic',
      client: 'curl, Anthropic',
      hint: 'One message from the shell',
      dialect: 'anthropic',
      code: `curl ${baseUrl}/v1/messages \\
  -H "x-api-key: ${key}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "content-type: application/json" \\
  -d '{
    "model": "${anthropicModel}",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Say hello in one word."}]
  }'`,
    },
    {
      id: 'curl-openai',
      client: 'curl, OpenAI',
      hint: 'One completion from the shell',
      dialect: 'openai',
      code: `curl ${baseUrl}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "${openaiModel}",
    "messages": [{"role": "user", "content": "Say hello in one word."}]
  }'`,
    },
  ];
}

function anthropicSdkSnippets({ baseUrl, key, anthropicModel }: SnippetInput): Snippet[] {
  return [
    {
      id: 'python-anthropic',
      client: 'Python, Anthropic',
      hint: 'pip install anthropic',
      dialect: 'anthropic',
      code: `from anthropic import Anthropic

client = Anthropic(base_url="${baseUrl}", api_key="${key}")
message = client.messages.create(
    model="${anthropicModel}",
    max_tokens=64,
    messages=[{"role": "user", "content": "Say hello in one word."}],
)
print(message.content[0].text)`,
    },
    {
      id: 'typescript-anthropic',
      client: 'TypeScript, Anthropic',
      hint: 'npm install @anthropic-ai/sdk',
      dialect: 'anthropic',
      code: `import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: '${baseUrl}', apiKey: '${key}' });
const message = await client.messages.create({
  model: '${anthropicModel}',
  max_tokens: 64,
  messages: [{ role: 'user', content: 'Say hello in one word.' }],
});
console.log(message.content);`,
    },
  ];
}

function openaiSdkSnippets({ baseUrl, key, openaiModel }: SnippetInput): Snippet[] {
  return [
    {
      id: 'python-openai',
      client: 'Python, OpenAI',
      hint: 'pip install openai',
      dialect: 'openai',
      code: `from openai import OpenAI

client = OpenAI(base_url="${baseUrl}/v1", api_key="${key}")
completion = client.chat.completions.create(
    model="${openaiModel}",
    messages=[{"role": "user", "content": "Say hello in one word."}],
)
print(completion.choices[0].message.content)`,
    },
    {
      id: 'typescript-openai',
      client: 'TypeScript, OpenAI',
      hint: 'npm install openai',
      dialect: 'openai',
      code: `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${baseUrl}/v1', apiKey: '${key}' });
const completion = await client.chat.completions.create({
  model: '${openaiModel}',
  messages: [{ role: 'user', content: 'Say hello in one word.' }],
});
console.log(completion.choices[0]?.message.content);`,
    },
  ];
}

function geminiSdkSnippet({ baseUrl, key, geminiModel }: SnippetInput): Snippet {
  return {
    id: 'typescript-gemini',
    client: 'TypeScript, Gemini',
    hint: 'npm install @google/genai',
    dialect: 'gemini',
    code: `import { GoogleGenAI } from '@google/genai';

const client = new GoogleGenAI({ apiKey: '${key}', httpOptions: { baseUrl: '${baseUrl}' } });
const answer = await client.models.generateContent({
  model: '${geminiModel}',
  contents: 'Say hello in one word.',
});
console.log(answer.text);`,
  };
}

interface AccountLike {
  provider: string;
  models: string[];
  paused: boolean;
}

/** Everything that is not one of these two speaks the OpenAI format. */
function dialectOf({ provider }: AccountLike): Dialect {
  return provider === 'anthropic' || provider === 'gemini' ? provider : 'openai';
}

/** Models that the accounts at hand are likely to serve: a snippet has to work as pasted. */
export function snippetModels(
  accounts: AccountLike[],
): Pick<SnippetInput, 'anthropicModel' | 'openaiModel' | 'geminiModel'> {
  const named = (dialect: Dialect): string | undefined =>
    accounts
      .filter((account) => dialectOf(account) === dialect)
      .flatMap((account) => account.models)
      .find((model) => !model.includes('*'));
  return {
    anthropicModel: named('anthropic') ?? 'claude-haiku-4-5',
    openaiModel: named('openai') ?? 'gpt-5-mini',
    geminiModel: named('gemini') ?? 'gemini-2.5-flash',
  };
}

/** Snippets whose dialect an account can serve come first. Without accounts the order stays. */
export function orderSnippets(snippets: Snippet[], accounts: AccountLike[]): Snippet[] {
  if (accounts.length === 0) return snippets;
  const serves = (snippet: Snippet): boolean =>
    accounts.some((account) => dialectOf(account) === snippet.dialect);
  return [...snippets.filter(serves), ...snippets.filter((snippet) => !serves(snippet))];
}
