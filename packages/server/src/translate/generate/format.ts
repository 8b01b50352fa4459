import type { Format } from '../hub/format.ts';
import { readError, writeError } from './errors.ts';
import { readAnswer } from './read-answer.ts';
import { countedRequest, readRequest } from './read-request.ts';
import { GenerateReader } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';
import { GenerateWriter } from './write-stream.ts';

/** `generateContent` and `streamGenerateContent`, whose path names the model. */
export const generateFormat: Format = {
  id: 'generate',
  readRequest,
  writeRequest,
  pathOf: ({ model, stream }) =>
    `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  readAnswer,
  writeAnswer,
  createReader: () => new GenerateReader(),
  createWriter: (context) => new GenerateWriter(context),
  count: { read: countedRequest, write: (tokens) => ({ totalTokens: tokens }) },
  readError,
  writeError,
};
