import type { Format } from '../hub/format.ts';
import { readError, writeError } from './errors.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { MessagesReader } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeRequest } from './write-request.ts';
import { MessagesWriter } from './write-stream.ts';

/** The Messages API. */
export const messagesFormat: Format = {
  id: 'messages',
  readRequest,
  writeRequest,
  pathOf: () => '/v1/messages',
  readAnswer,
  writeAnswer,
  createReader: () => new MessagesReader(),
  createWriter: (context) => new MessagesWriter(context),
  count: { read: (body) => body, write: (tokens) => ({ input_tokens: tokens }) },
  readError,
  writeError,
};
