import type { UsageNormaliser } from '../accounting/quote.ts';
import { anthropicNormaliser } from '../providers/anthropic/usage.ts';
import { azureNormaliser } from '../providers/azure/usage.ts';
import { bedrockNormaliser } from '../providers/bedrock/usage.ts';
import { compatibleNormalisers } from '../providers/compatible/usage.ts';
import { geminiNormaliser } from '../providers/gemini/usage.ts';
import { openaiNormaliser } from '../providers/openai/usage.ts';

/** Every shape of usage that can be read, for pricing an answer by hand. */
export const NORMALISERS: readonly UsageNormaliser[] = [
  anthropicNormaliser,
  openaiNormaliser,
  geminiNormaliser,
  azureNormaliser,
  bedrockNormaliser,
  ...compatibleNormalisers,
];
