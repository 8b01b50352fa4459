import type { UsageNormaliser } from '../../accounting/quote.ts';
import { readMessagesAnswer } from '../shared/messages-usage.ts';

/** For `tallygate price`: a whole message, or `{ usage }` of one. */
export const bedrockNormaliser: UsageNormaliser = {
  providerIds: ['bedrock', 'aws'],
  priceProvider: 'aws',
  fromAnswer: readMessagesAnswer,
};
