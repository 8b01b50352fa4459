import { LIST_TERMS, type RequestShape } from '../../accounting/request-shape.ts';

/** Asks for a way to be served that has another price, such as `priority`. */
const SHARED_TYPE = 'x-vertex-ai-llm-shared-request-type';
/** These are never dearer than the list price. */
const NOT_DEARER = new Set(['', 'standard', 'flex']);

/**
 * The shape of a request to Vertex AI, where a header can ask for a dearer way to be served. The term is spelt as the
 * answer reports it (`trafficType`); without a price for it the request has no bound, and budgets do as for other models
 * without a price.
 * @param headers as they go upstream: flat list of name, value
 */
export function withVertexTraffic(shape: RequestShape, headers: readonly string[]): RequestShape {
  const asked = headers
    .filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === SHARED_TYPE)
    .flatMap((value) => value.split(','))
    .map((type) => type.trim().toLowerCase())
    .filter((type) => !NOT_DEARER.has(type));
  if (asked.length === 0) return shape;
  const dearer = asked.map((type) => ({ ...LIST_TERMS, serviceTier: `on_demand_${type}` }));
  return { ...shape, terms: [...shape.terms, ...dearer] };
}
