import type { ProviderAdapter, ProviderRoute } from '../provider.ts';
import { withBearer } from '../shared/bearer.ts';
import { readMember, readString } from '../shared/read-field.ts';
import { isVertexPath } from '../shared/vertex-path.ts';
import { geminiCounting } from './counting.ts';
import { listModels } from './models.ts';
import { geminiFacts } from './request.ts';
import { geminiShape } from './request-shape.ts';
import { geminiRuleView } from './rule-view.ts';
import { createGeminiMeter } from './stream.ts';
import { onVertex } from './vertex.ts';

const MAX_MODELS = 500;
const GENERATE = 'gemini.generate';
const EMBED = 'gemini.embed';
const COUNT = 'gemini.count_tokens';
const MODELS = 'gemini.models';

const ACTIONS: readonly (readonly [action: string, flavor: string, metered: boolean])[] = [
  ['generateContent', GENERATE, true],
  ['streamGenerateContent', GENERATE, true],
  ['embedContent', EMBED, true],
  ['batchEmbedContents', EMBED, true],
  ['countTokens', COUNT, false],
];

function routesUnder(version: string): ProviderRoute[] {
  const shared = version === '/v1';
  return [
    ...ACTIONS.map(
      ([action, flavor, metered]): ProviderRoute => ({
        method: 'POST',
        path: `${version}/models/{model}:${action}`,
        flavor,
        metered,
        ...(flavor === COUNT ? { serves: GENERATE } : {}),
      }),
    ),
    {
      method: 'GET',
      path: `${version}/models`,
      flavor: MODELS,
      metered: false,
      serves: GENERATE,
      listModels,
    },
    // Other APIs have this path, too: only the header tells them apart.
    {
      method: 'GET',
      path: `${version}/models/{model}`,
      flavor: MODELS,
      metered: false,
      serves: GENERATE,
      listModels,
      needsDialectHeader: shared,
    },
  ];
}

/** `{ models: [{ name: "models/<id>" }] }`. */
function readModels(body: unknown): string[] {
  const models = readMember(body, 'models');
  if (!Array.isArray(models)) return [];
  return models
    .slice(0, MAX_MODELS)
    .map((entry) => readString(entry, 'name')?.replace(/^models\//, '') ?? null)
    .filter((id): id is string => id !== null);
}

/** The Gemini API (Google AI). */
export const geminiAdapter: ProviderAdapter = {
  id: 'gemini',
  name: 'Google Gemini',
  dialect: 'gemini',
  dialectHeader: 'x-goog-api-key',
  credentialQuery: 'key',
  defaultBaseUrl: 'https://generativelanguage.googleapis.com',
  credentialRequired: true,
  priceProvider: 'google',
  presets: [],
  translatedTo: [GENERATE],
  oldNames: false,
  routes: [...routesUnder('/v1beta'), ...routesUnder('/v1')],
  credentialHeaders: (credential) => (credential === null ? [] : [['x-goog-api-key', credential.reveal()]]),
  oauthHeaders: withBearer,
  requestFacts: (_flavor, body, _headers, path) => geminiFacts(body, path),
  requestShape: (_flavor, body, bodyBytes) => geminiShape(body, bodyBytes),
  counting: geminiCounting,
  ruleView: geminiRuleView,
  variantAt: (basePath) => (isVertexPath(basePath, 'google') ? onVertex(geminiAdapter) : null),
  createMeter: () => createGeminiMeter(),
  requestIdHeader: 'x-request-id',
  testCall: { method: 'GET', path: '/v1beta/models?pageSize=1000' },
  testHeaders: [],
  readModels,
};
