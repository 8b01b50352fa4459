import { objectAt, parseObject } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, answerError, CUT_ANSWER } from '../hub/answer.ts';
import type { StreamReader } from '../hub/format.ts';
import { countOf, stringAt } from '../hub/json.ts';
import { PieceReader } from './read-answer.ts';

/** Reads the events of `streamGenerateContent`; only the end of the bytes ends them. */
export class GenerateReader implements StreamReader {
  readonly #pieces = new PieceReader();
  #ended = false;

  read(_name: string | null, data: string): AnswerEvent[] {
    const answer = this.#ended || data === '' ? null : parseObject(data);
    if (answer === null) return [];
    const error = objectAt(answer, 'error');
    if (error === null) return this.#pieces.read(answer);
    this.#ended = true;
    return [answerError(countOf(error.code) ?? 500, stringAt(error, 'message'))];
  }

  end(): AnswerEvent[] {
    if (this.#ended) return [];
    this.#ended = true;
    return [this.#pieces.finished ? { type: 'end' } : CUT_ANSWER];
  }
}
