import type { Format } from '../hub/format.ts';
import { writeError } from '../hub/write-common.ts';
import { readError } from './errors.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { ChatReader } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';
import { ChatWriter } from './write-stream.ts';

/** Chat Completions. */
export const chatFormat: Format = {
  id: 'chat',
  readRequest,
  writeRequest,
  pathOf: () => '/v1/chat/completions',
  readAnswer,
  writeAnswer,
  createReader: () => new ChatReader(),
  createWriter: (context) => new ChatWriter(context),
  count: null,
  readError,
  writeError,
};
