import type { ProviderAdapter } from '../provider.ts';
import { withBearer } from '../shared/bearer.ts';
import { createOpenaiMeter } from '../shared/openai-meter.ts';
import { OPENAI_CHAT, OPENAI_ROUTES, openaiFacts } from '../shared/openai-request.ts';
import { openaiRuleView } from '../shared/openai-rule-view.ts';
import { openaiShape } from '../shared/openai-shape.ts';
import { readModelIds } from '../shared/read-field.ts';
import { COMPATIBLE_PRESETS } from './presets.ts';

/** Any server that speaks the OpenAI wire format, at any base URL. */
export const compatibleAdapter: ProviderAdapter = {
  id: 'compatible',
  name: 'OpenAI-compatible',
  dialect: 'openai',
  dialectHeader: null,
  credentialQuery: null,
  defaultBaseUrl: null,
  credentialRequired: false,
  priceProvider: null,
  presets: COMPATIBLE_PRESETS,
  translatedTo: [OPENAI_CHAT],
  oldNames: true,
  routes: OPENAI_ROUTES,
  credentialHeaders: (credential) =>
    credential === null ? [] : [['authorization', `Bearer ${credential.reveal()}`]],
  oauthHeaders: withBearer,
  requestFacts: openaiFacts,
  requestShape: (flavor, body, bodyBytes) => openaiShape(flavor, body, { bodyBytes, oldNames: true }),
  ruleView: openaiRuleView,
  createMeter: (flavor, variant) => createOpenaiMeter(flavor, variant),
  requestIdHeader: 'x-request-id',
  testCall: { method: 'GET', path: '/v1/models' },
  testHeaders: [],
  readModels: readModelIds,
};
