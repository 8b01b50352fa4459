import type { CompatiblePreset } from '../provider.ts';
import { OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_MODELS, OPENAI_RESPONSES } from '../shared/openai-request.ts';

const CHAT = [OPENAI_CHAT, OPENAI_MODELS];
const CHAT_EMBED = [...CHAT, OPENAI_EMBEDDINGS];
const FULL = [...CHAT_EMBED, OPENAI_RESPONSES];

type Row = [
  id: string,
  name: string,
  baseUrl: string,
  priceProvider: string | null,
  flavors: readonly string[],
];

/** Hosted servers that need a key. The base URL is what comes before `/v1`. */
const HOSTED: readonly Row[] = [
  ['openrouter', 'OpenRouter', 'https://openrouter.ai/api', 'openrouter', FULL],
  ['deepseek', 'DeepSeek', 'https://api.deepseek.com', 'deepseek', CHAT],
  ['mistral', 'Mistral', 'https://api.mistral.ai', 'mistral', CHAT_EMBED],
  ['xai', 'xAI', 'https://api.x.ai', 'x-ai', FULL],
  ['groq', 'Groq', 'https://api.groq.com/openai', 'groq', FULL],
  ['together', 'Together AI', 'https://api.together.xyz', 'together', CHAT_EMBED],
  ['fireworks', 'Fireworks AI', 'https://api.fireworks.ai/inference', 'fireworks', FULL],
  ['cerebras', 'Cerebras', 'https://api.cerebras.ai', 'cerebras', CHAT],
  ['moonshot', 'Moonshot AI', 'https://api.moonshot.ai', 'moonshotai', CHAT],
  ['nvidia', 'NVIDIA NIM', 'https://integrate.api.nvidia.com', null, CHAT_EMBED],
];

/** Servers that usually stand on the same machine or network. */
const LOCAL: readonly Row[] = [
  ['ollama', 'Ollama', 'http://127.0.0.1:11434', null, FULL],
  ['vllm', 'vLLM', 'http://127.0.0.1:8000', null, FULL],
  ['lmstudio', 'LM Studio', 'http://127.0.0.1:1234', null, FULL],
  ['llamacpp', 'llama.cpp server', 'http://127.0.0.1:8080', null, CHAT_EMBED],
];

const toPreset =
  (local: boolean) =>
  ([id, name, baseUrl, priceProvider, flavors]: Row): CompatiblePreset => ({
    id,
    name,
    baseUrl,
    credentialRequired: !local,
    private: local,
    priceProvider,
    flavors,
  });

/** Known OpenAI-compatible servers: adding one is a row here, not code. */
export const COMPATIBLE_PRESETS: readonly CompatiblePreset[] = [
  ...HOSTED.map(toPreset(false)),
  ...LOCAL.map(toPreset(true)),
];
