const preset = (id: string, name: string, baseUrl: string, isPrivate = false) => ({
  id,
  name,
  baseUrl,
  credentialRequired: !isPrivate,
  private: isPrivate,
});
/** The providers that the stand-in of the administrative API lists. */
export const FAKE_PROVIDERS = [
  {
    id: 'anthropic',
    name: 'Anthropic',
    defaultBaseUrl: 'https://api.anthropic.com',
    credentialRequired: true,
    presets: [],
  },
  {
    id: 'openai',
    name: 'OpenAI',
    defaultBaseUrl: 'https://api.openai.com',
    credentialRequired: true,
    presets: [],
  },
  {
    id: 'compatible',
    name: 'OpenAI-compatible',
    defaultBaseUrl: null,
    credentialRequired: false,
    presets: [
      preset('ollama', 'Ollama', 'http://127.0.0.1:11434/v1', true),
      preset('vllm', 'vLLM', 'http://127.0.0.1:8000/v1', true),
      preset('openrouter', 'OpenRouter', 'https://openrouter.ai/api/v1'),
      preset('deepseek', 'DeepSeek', 'https://api.deepseek.com'),
      preset('mistral', 'Mistral', 'https://api.mistral.ai/v1'),
      preset('xai', 'xAI', 'https://api.x.ai/v1'),
      preset('groq', 'Groq', 'https://api.groq.com/openai/v1'),
    ],
  },
];
