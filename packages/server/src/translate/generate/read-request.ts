import type {
  Ask,
  Conversation,
  OutputShape,
  Reasoning,
  Sampling,
  Tool,
  Toolbox,
  ToolChoice,
} from '../hub/ask.ts';
import { countOf, type JsonObject, listAt, numberOf, stringAt, wordOf } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import type { TextPart, Turn } from '../hub/parts.ts';
import { UnreadableRequest } from '../hub/unreadable-request.ts';
import { camelAt, camelCase, camelList } from './camel-case.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { CallIds, readModelParts, readUserParts } from './read-parts.ts';

const READ = new Set(['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig']);
const HINTS = new Set(['safetySettings', 'labels', 'serviceTier', 'store']);
const READ_CONFIG = new Set([
  'temperature',
  'topP',
  'topK',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'candidateCount',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'thinkingConfig',
  'responseModalities',
]);
const CONFIG_HINTS = new Set(['mediaResolution', 'audioTimestamp']);

function readConversation(body: JsonObject, losses: Losses): Conversation {
  const ids = new CallIds();
  const system = camelList(camelAt(body, 'systemInstruction')?.parts)
    .map((part) => stringAt(part, 'text'))
    .filter((text) => text !== null)
    .map((text): TextPart => ({ type: 'text', text }));
  const turns = listAt(body, 'contents').map((entry): Turn => {
    const content = camelCase(entry);
    const parts = camelList(content.parts);
    if (content.role === 'model') return { role: 'assistant', parts: readModelParts(parts, ids, losses) };
    if (content.role !== undefined && content.role !== 'user' && content.role !== 'function')
      throw new UnreadableRequest('"contents[].role" must be "user" or "model".');
    return { role: 'user', parts: readUserParts(parts, ids, losses) };
  });
  return { system, turns };
}

function readDeclaration(entry: JsonObject): Tool {
  const name = stringAt(entry, 'name');
  if (name === null) throw new UnreadableRequest('"functionDeclarations[].name" must be a string.');
  const schema = entry.parametersJsonSchema ?? jsonSchemaOf(entry.parameters);
  return {
    name,
    description: stringAt(entry, 'description'),
    schema: schema ?? { type: 'object', properties: {} },
    strict: null,
    cache: null,
    custom: null,
  };
}

function readTools(body: JsonObject, losses: Losses): Tool[] {
  return camelList(body.tools).flatMap((tool) => {
    losses.unread(tool, new Set(['functionDeclarations']), { at: 'tools[]' });
    // An empty object still turns a tool of the provider's on.
    for (const name of Object.keys(tool)) if (name !== 'functionDeclarations') losses.lose(`tools[].${name}`);
    return camelList(tool.functionDeclarations).map(readDeclaration);
  });
}

function readChoice(body: JsonObject, losses: Losses): ToolChoice | null {
  const config = camelAt(camelAt(body, 'toolConfig') ?? {}, 'functionCallingConfig');
  if (config === null) return null;
  const allowed = Array.isArray(config.allowedFunctionNames)
    ? (config.allowedFunctionNames as unknown[])
    : [];
  switch (wordOf(config.mode ?? 'AUTO').toUpperCase()) {
    case 'NONE':
      return { kind: 'none' };
    case 'ANY':
      if (allowed.length === 1) return { kind: 'tool', name: wordOf(allowed[0]) };
      if (allowed.length > 1) losses.lose('allowedFunctionNames');
      return { kind: 'any' };
    default:
      return { kind: 'auto' };
  }
}

function readSampling(config: JsonObject, losses: Losses): Sampling {
  const { stopSequences: stop, responseModalities: modalities } = config;
  if ((countOf(config.candidateCount) ?? 1) > 1) losses.lose('candidateCount');
  if (Array.isArray(modalities) && modalities.some((name) => wordOf(name).toUpperCase() !== 'TEXT'))
    losses.lose('responseModalities');
  return {
    maxOutputTokens: countOf(config.maxOutputTokens),
    temperature: numberOf(config.temperature),
    topP: numberOf(config.topP),
    topK: countOf(config.topK),
    stop: Array.isArray(stop) ? stop.filter((text): text is string => typeof text === 'string') : [],
    seed: numberOf(config.seed),
    presencePenalty: numberOf(config.presencePenalty) || null,
    frequencyPenalty: numberOf(config.frequencyPenalty) || null,
  };
}

function readOutput(config: JsonObject): OutputShape | null {
  if (config.responseMimeType !== 'application/json') return null;
  const schema = config.responseJsonSchema ?? jsonSchemaOf(config.responseSchema);
  if (schema === undefined || schema === null) return { kind: 'json' };
  return { kind: 'schema', name: 'answer', description: null, schema, strict: null };
}

function readReasoning(config: JsonObject): Reasoning | null {
  const thinking = camelAt(config, 'thinkingConfig');
  if (thinking === null) return null;
  const budget = numberOf(thinking.thinkingBudget);
  const level = stringAt(thinking, 'thinkingLevel')?.toLowerCase() ?? null;
  const visible = thinking.includeThoughts === true;
  if (budget === 0) return { effort: 'off', budgetTokens: null, visible };
  const automatic = budget === null || budget < 0;
  if (automatic && level === null) return visible ? { effort: 'medium', budgetTokens: null, visible } : null;
  return { effort: level, budgetTokens: automatic ? null : budget, visible };
}

/** Reads a request of `generateContent`. */
export function readRequest(
  given: JsonObject,
  target: { model: string; stream: boolean },
  losses: Losses,
): Ask {
  const body = camelCase(given);
  const config = camelAt(body, 'generationConfig') ?? {};
  losses.unread(body, READ, { hints: HINTS });
  losses.unread(config, READ_CONFIG, { hints: CONFIG_HINTS, at: 'generationConfig' });
  const tools = readTools(body, losses);
  const toolbox: Toolbox = { tools, choice: readChoice(body, losses), parallel: null };
  return {
    ...target,
    conversation: readConversation(body, losses),
    toolbox,
    sampling: readSampling(config, losses),
    output: readOutput(config),
    reasoning: readReasoning(config),
    endUser: null,
  };
}

/** `countTokens` takes contents alone, or a whole request. */
export function countedRequest(body: JsonObject): JsonObject {
  return camelAt(camelCase(body), 'generateContentRequest') ?? body;
}
