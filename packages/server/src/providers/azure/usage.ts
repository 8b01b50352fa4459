import type { UsageNormaliser } from '../../accounting/quote.ts';
import { readOpenaiAnswer } from '../shared/openai-usage.ts';

/** For `tallygate price`: a chat completion, a response or an embedding list, or `{ usage, service_tier }` of one. */
export const azureNormaliser: UsageNormaliser = {
  providerIds: ['azure'],
  priceProvider: 'azure',
  fromAnswer: (answer) => readOpenaiAnswer(answer, 'azure'),
};
