import type { ProviderAdapter } from '../provider.ts';
import { withBearer } from '../shared/bearer.ts';
import { createOpenaiMeter } from '../shared/openai-meter.ts';
import { OPENAI_CHAT, OPENAI_RESPONSES, OPENAI_ROUTES, openaiFacts } from '../shared/openai-request.ts';
import { openaiRuleView } from '../shared/openai-rule-view.ts';
import { openaiShape } from '../shared/openai-shape.ts';
import { readModelIds } from '../shared/read-field.ts';
import { openaiCounting } from './counting.ts';

/** The OpenAI API. */
export const openaiAdapter: ProviderAdapter = {
  id: 'openai',
  name: 'OpenAI',
  dialect: 'openai',
  dialectHeader: null,
  credentialQuery: null,
  defaultBaseUrl: 'https://api.openai.com',
  credentialRequired: true,
  priceProvider: 'openai',
  presets: [],
  translatedTo: [OPENAI_RESPONSES, OPENAI_CHAT],
  oldNames: false,
  routes: OPENAI_ROUTES,
  credentialHeaders: (credential) =>
    credential === null ? [] : [['authorization', `Bearer ${credential.reveal()}`]],
  oauthHeaders: withBearer,
  requestFacts: openaiFacts,
  requestShape: (flavor, body, bodyBytes) => openaiShape(flavor, body, { bodyBytes, oldNames: false }),
  counting: openaiCounting,
  ruleView: openaiRuleView,
  createMeter: (flavor, variant) => createOpenaiMeter(flavor, variant),
  requestIdHeader: 'x-request-id',
  testCall: { method: 'GET', path: '/v1/models' },
  testHeaders: [],
  readModels: readModelIds,
};
