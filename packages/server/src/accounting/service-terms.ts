import { type FactorRule, LIST_PRICE, OWN_TERMS, STANDARD_TIERS, type TermsFactor } from './own-terms.ts';
import type { ServedTerms } from './usage.ts';

function ruleFor(rules: Readonly<Record<string, FactorRule>> | undefined, term: string, model: string) {
  const rule = rules && Object.hasOwn(rules, term) ? rules[term] : undefined;
  if (rule === undefined) return null;
  return 'num' in rule ? rule : (rule.get(model) ?? null);
}

function tierOf(terms: ServedTerms): string | null {
  if (terms.batch) return 'batch';
  const tier = terms.serviceTier?.toLowerCase() ?? null;
  return tier === null || STANDARD_TIERS.has(tier) ? null : tier;
}

/**
 * The factor on a model's list price for the terms its answer reports; null when none is published for that
 * model, in which case nothing may be priced. Factors of tier, speed and region multiply.
 * @param model id of the price card, not the id of the answer
 */
export function termsFactor(provider: string, model: string, terms: ServedTerms): TermsFactor | null {
  const tier = tierOf(terms);
  const speed = terms.speed === null || terms.speed === 'standard' ? null : terms.speed;
  if (tier === null && speed === null && terms.geo === null) return LIST_PRICE;
  const own = Object.hasOwn(OWN_TERMS, provider) ? OWN_TERMS[provider] : undefined;
  const parts = [
    tier === null ? LIST_PRICE : ruleFor(own?.tiers, tier, model),
    speed === null ? LIST_PRICE : ruleFor(own?.speeds, speed, model),
    terms.geo === null ? LIST_PRICE : ruleFor(own?.geos, terms.geo, model),
  ];
  let product = LIST_PRICE;
  for (const part of parts) {
    if (part === null) return null;
    product = {
      num: product.num * part.num,
      den: product.den * part.den,
      normalContextOnly: product.normalContextOnly || part.normalContextOnly,
    };
  }
  return product;
}
