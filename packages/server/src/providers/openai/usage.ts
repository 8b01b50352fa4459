import type { UsageNormaliser } from '../../accounting/quote.ts';
import { readOpenaiAnswer } from '../shared/openai-usage.ts';

/** For `tallygate price`: a chat completion, a response or an embedding list, or `{ usage, service_tier }` of one. */
export const openaiNormaliser: UsageNormaliser = {
  providerIds: ['openai'],
  priceProvider: 'openai',
  fromAnswer: (answer) => readOpenaiAnswer(answer, 'openai'),
};
