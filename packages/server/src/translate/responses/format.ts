import type { Format } from '../hub/format.ts';
import { writeError } from '../hub/write-common.ts';
import { readError } from './errors.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { ResponsesReader } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';
import { ResponsesWriter } from './write-stream.ts';

/** The Responses API. */
export const responsesFormat: Format = {
  id: 'responses',
  readRequest,
  writeRequest,
  pathOf: () => '/v1/responses',
  readAnswer,
  writeAnswer,
  createReader: () => new ResponsesReader(),
  createWriter: (context) => new ResponsesWriter(context),
  count: null,
  readError,
  writeError,
};
