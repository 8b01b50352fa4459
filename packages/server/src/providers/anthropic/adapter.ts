import type { ProviderAdapter, ProviderRoute } from '../provider.ts';
import { createMessagesMeter } from '../shared/messages-meter.ts';
import { messagesFacts } from '../shared/messages-request.ts';
import { messagesRuleView } from '../shared/messages-rule-view.ts';
import { messagesShape } from '../shared/messages-shape.ts';
import { readModelIds } from '../shared/read-field.ts';
import { isVertexPath } from '../shared/vertex-path.ts';
import { anthropicCounting } from './counting.ts';
import { listModels } from './models.ts';
import { anthropicOauthHeaders } from './oauth-headers.ts';
import { onVertex } from './vertex.ts';

const MESSAGES = 'anthropic.messages';
const ROUTES: readonly ProviderRoute[] = [
  { method: 'POST', path: '/v1/messages', flavor: MESSAGES, metered: true },
  {
    method: 'POST',
    path: '/v1/messages/count_tokens',
    flavor: 'anthropic.count_tokens',
    metered: false,
    serves: MESSAGES,
  },
  {
    method: 'GET',
    path: '/v1/models',
    flavor: 'anthropic.models',
    metered: false,
    serves: MESSAGES,
    listModels,
  },
];

/** The Anthropic API. */
export const anthropicAdapter: ProviderAdapter = {
  id: 'anthropic',
  name: 'Anthropic',
  dialect: 'anthropic',
  dialectHeader: 'anthropic-version',
  credentialQuery: null,
  defaultBaseUrl: 'https://api.anthropic.com',
  credentialRequired: true,
  priceProvider: 'anthropic',
  presets: [],
  translatedTo: [MESSAGES],
  oldNames: false,
  routes: ROUTES,
  credentialHeaders: (credential) => (credential === null ? [] : [['x-api-key', credential.reveal()]]),
  oauthHeaders: anthropicOauthHeaders,
  requestFacts: (_flavor, body, headers) => messagesFacts(body, headers),
  requestShape: (_flavor, body, bodyBytes) => messagesShape(body, bodyBytes),
  counting: anthropicCounting,
  ruleView: messagesRuleView,
  createMeter: () => createMessagesMeter(),
  variantAt: (basePath) => (isVertexPath(basePath, 'anthropic') ? onVertex(anthropicAdapter) : null),
  requestIdHeader: 'request-id',
  testCall: { method: 'GET', path: '/v1/models?limit=1000' },
  testHeaders: ['anthropic-version', '2023-06-01'],
  readModels: readModelIds,
};
