import type { ProviderAdapter } from '../provider.ts';
import { withBearer } from '../shared/bearer.ts';
import { createOpenaiMeter } from '../shared/openai-meter.ts';
import { OPENAI_CHAT, OPENAI_ROUTES, openaiFacts } from '../shared/openai-request.ts';
import { openaiRuleView } from '../shared/openai-rule-view.ts';
import { openaiShape } from '../shared/openai-shape.ts';
import { readModelIds } from '../shared/read-field.ts';
import { azureEnvelope } from './envelope.ts';

/** Azure OpenAI: the OpenAI wire format under a resource's own address. A model's name is that of its deployment. */
export const azureAdapter: ProviderAdapter = {
  id: 'azure',
  name: 'Azure OpenAI',
  dialect: 'openai',
  dialectHeader: null,
  credentialQuery: null,
  defaultBaseUrl: null,
  credentialRequired: true,
  priceProvider: 'azure',
  presets: [],
  translatedTo: [OPENAI_CHAT],
  oldNames: false,
  routes: OPENAI_ROUTES,
  credentialHeaders: (credential) => (credential === null ? [] : [['api-key', credential.reveal()]]),
  oauthHeaders: withBearer,
  envelope: azureEnvelope,
  baseUrlQuery: ['api-version'],
  requestFacts: openaiFacts,
  requestShape: (flavor, body, bodyBytes) => openaiShape(flavor, body, { bodyBytes, oldNames: false }),
  ruleView: openaiRuleView,
  createMeter: (flavor, variant) => createOpenaiMeter(flavor, variant),
  requestIdHeader: 'apim-request-id',
  testCall: { method: 'GET', path: '/v1/models' },
  testHeaders: [],
  readModels: readModelIds,
};
