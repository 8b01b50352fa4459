import { Secret } from '../../kernel/secret.ts';
import type { ProviderAdapter } from '../provider.ts';
import { createMessagesMeter } from '../shared/messages-meter.ts';
import { messagesFacts } from '../shared/messages-request.ts';
import { messagesRuleView } from '../shared/messages-rule-view.ts';
import { messagesShape } from '../shared/messages-shape.ts';
import { readMember, readString } from '../shared/read-field.ts';
import { bedrockEnvelope } from './envelope.ts';
import { type AwsKeys, createV4Signer } from './sign-v4.ts';

const MESSAGES = 'anthropic.messages';
const MAX_MODELS = 500;

/** `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, or with `:SESSION_TOKEN`; null for a Bedrock API key, which is one word. */
function keysIn(credential: Secret): AwsKeys | null {
  const [accessKeyId = '', secret = '', token] = credential.reveal().split(':');
  if (secret === '') return null;
  return {
    accessKeyId,
    secretAccessKey: new Secret(secret),
    sessionToken: token === undefined ? null : new Secret(token),
  };
}

/** `{ modelSummaries: [{ modelId, providerName }] }`. */
function readModels(body: unknown): string[] {
  const models = readMember(body, 'modelSummaries');
  if (!Array.isArray(models)) return [];
  return models
    .filter((model) => readString(model, 'providerName') === 'Anthropic')
    .slice(0, MAX_MODELS)
    .map((model) => readString(model, 'modelId'))
    .filter((id): id is string => id !== null);
}

/** Anthropic's models on AWS Bedrock, through InvokeModel: the region is that of the base URL. */
export const bedrockAdapter: ProviderAdapter = {
  id: 'bedrock',
  name: 'AWS Bedrock',
  dialect: 'anthropic',
  dialectHeader: 'anthropic-version',
  credentialQuery: null,
  defaultBaseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com',
  credentialRequired: true,
  priceProvider: 'aws',
  presets: [],
  translatedTo: [MESSAGES],
  oldNames: false,
  routes: [{ method: 'POST', path: '/v1/messages', flavor: MESSAGES, metered: true }],
  credentialHeaders: (credential) =>
    credential === null || keysIn(credential) !== null
      ? []
      : [['authorization', `Bearer ${credential.reveal()}`]],
  oauthHeaders: null,
  signer(credential) {
    const keys = credential === null ? null : keysIn(credential);
    return keys === null ? null : createV4Signer(keys, 'bedrock');
  },
  envelope: bedrockEnvelope,
  requestFacts: (_flavor, body, headers) => messagesFacts(body, headers),
  requestShape: (_flavor, body, bodyBytes) => messagesShape(body, bodyBytes),
  ruleView: messagesRuleView,
  createMeter: () => createMessagesMeter(),
  requestIdHeader: 'x-amzn-requestid',
  // The list of models is the control plane's, at a host beside the one that serves them.
  testCall: {
    method: 'GET',
    path: '/foundation-models',
    originOf: (origin) => origin.replace(/^(https:\/\/)bedrock-runtime\./, '$1bedrock.'),
  },
  testHeaders: [],
  readModels,
};
