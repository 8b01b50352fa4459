import { AppError } from '../../kernel/errors.ts';
import { JsonSurvey } from '../../kernel/json-survey.ts';

/** Smaller bodies are parsed in some milliseconds whatever is in them. */
export const SURVEYED_BYTES = 256 * 1024;
/**
 * A conversation of 32 MB has about 700,000 values, and some hundred names. At these bounds parsing and reckoning take
 * about as long as for 32 MB of plain text.
 */
const BOUNDS = { maxValues: 2_000_000, maxNames: 50_000 };
/** A few milliseconds, after which others have their turn. */
const STEP_WORK = 1024 * 1024;

/**
 * Makes sure that parsing a large body will not keep everybody waiting, without keeping anybody waiting itself.
 * @param done called with `request_too_large` for a body that holds too much
 */
export function surveyBody(body: Buffer, done: (error: AppError | null) => void): void {
  const survey = new JsonSurvey(body, BOUNDS);
  const go = (): void => {
    const fits = survey.step(STEP_WORK);
    if (fits === null) setImmediate(go);
    else done(fits ? null : tooMuch());
  };
  go();
}

const tooMuch = (): AppError =>
  new AppError('request_too_large', {
    detail: `The request body holds more than ${BOUNDS.maxValues} values, or more than ${BOUNDS.maxNames} different names of members.`,
  });
