import { FormError } from '../../ui/error-state.tsx';
import { ssoProblemText } from '../../ui/sso-problem-text.ts';

/** Why somebody came back from the identity provider without being signed in. */
export function SsoProblem({ code }: { code: string | undefined }) {
  return code === undefined ? null : <FormError error={new Error(ssoProblemText(code))} />;
}
