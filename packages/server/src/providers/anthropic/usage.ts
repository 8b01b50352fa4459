import type { UsageNormaliser } from '../../accounting/quote.ts';
import { readMessagesAnswer } from '../shared/messages-usage.ts';

/** For `tallygate price`: a whole message, or `{ usage }` of one. */
export const anthropicNormaliser: UsageNormaliser = {
  providerIds: ['anthropic', 'claude'],
  priceProvider: 'anthropic',
  fromAnswer: readMessagesAnswer,
};
