import type { Ask, OutputShape, Reasoning, Toolbox, ToolChoice } from '../hub/ask.ts';
import { functionDescription } from '../hub/custom-tools.ts';
import { budgetOf } from '../hub/effort.ts';
import type { UpstreamTraits } from '../hub/format.ts';
import { argumentsObject, type JsonDraft, type JsonObject, put } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import type {
  AssistantPart,
  ContentPart,
  MediaSource,
  ThinkingPart,
  ToolResultPart,
  Turn,
  UserPart,
} from '../hub/parts.ts';

function writeMedia(source: MediaSource, what: string, losses: Losses): JsonDraft[] {
  if (source.kind === 'base64') return [{ inlineData: { mimeType: source.mediaType, data: source.data } }];
  losses.lose(`${what}.source=url`);
  return [];
}

function writeContent(part: ContentPart, losses: Losses): JsonDraft[] {
  if (part.type !== 'audio' && part.cache) losses.hint('cache_control');
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'audio':
      return [{ inlineData: { mimeType: part.mediaType, data: part.data } }];
    default:
      return writeMedia(part.source, part.type, losses);
  }
}

/** Names of the functions by the ids of their calls: results are named here. */
type Names = Map<string, string>;

function writeResult(part: ToolResultPart, names: Names, losses: Losses): JsonDraft {
  if (part.cache) losses.hint('cache_control');
  const text = part.parts.map((inner) => (inner.type === 'text' ? inner.text : '')).join('\n');
  const media = part.parts.filter(({ type }) => type !== 'text');
  const result: JsonDraft = {
    id: part.callId,
    name: names.get(part.callId) ?? part.callId,
    response: part.isError ? { error: text.trim() } : { output: media.length === 0 ? text : text.trim() },
  };
  if (media.length > 0) result.parts = media.flatMap((inner) => writeContent(inner, losses));
  return { functionResponse: result };
}

function writeUserPart(part: UserPart, names: Names, losses: Losses): JsonDraft[] {
  return part.type === 'tool-result' ? [writeResult(part, names, losses)] : writeContent(part, losses);
}

/** Writes what the model said: a signature goes back on the part it came with. */
class ModelParts {
  readonly list: JsonDraft[] = [];
  #signature: unknown = null;
  readonly #losses: Losses;
  readonly #names: Names;

  constructor(names: Names, losses: Losses) {
    this.#names = names;
    this.#losses = losses;
  }

  add(part: AssistantPart): void {
    switch (part.type) {
      case 'thinking':
        return this.#thought(part);
      case 'tool-call':
        if (part.cache) this.#losses.hint('cache_control');
        this.#names.set(part.id, part.name);
        this.#push({ functionCall: { id: part.id, name: part.name, args: argumentsObject(part.arguments) } });
        return;
      case 'refusal':
        if (part.text !== '') this.list.push({ text: part.text });
        return;
      default:
        for (const written of writeContent(part, this.#losses)) this.list.push(written);
    }
  }

  #push(written: JsonDraft): void {
    put(written, 'thoughtSignature', this.#signature);
    this.#signature = null;
    this.list.push(written);
  }

  #thought({ opaque, text }: ThinkingPart): void {
    if (opaque?.format !== 'generate') {
      if (text !== '' || opaque !== null) this.#losses.hint('thinking of another provider');
      return;
    }
    const { signature, on } = opaque.data as JsonObject;
    if (typeof signature !== 'string') return; // the thought itself is not for the model to read again
    if (on === 'call') this.#signature = signature;
    else this.#sign(signature);
  }

  /** A signature of text comes with its last piece. */
  #sign(signature: string): void {
    const last = this.list.at(-1);
    if (last !== undefined && 'text' in last) last.thoughtSignature = signature;
    else this.list.push({ text: '', thoughtSignature: signature });
  }
}

function writeTurn(turn: Turn, names: Names, losses: Losses): JsonDraft[] {
  if (turn.role === 'user') {
    if (turn.instructs === true) losses.hint('instructions in the middle (told by the user)');
    return turn.parts.flatMap((part) => writeUserPart(part, names, losses));
  }
  const written = new ModelParts(names, losses);
  for (const part of turn.parts) written.add(part);
  return written.list;
}

function writeContents(turns: readonly Turn[], losses: Losses): JsonDraft[] {
  const names: Names = new Map();
  const contents: { role: string; parts: JsonDraft[] }[] = [];
  for (const turn of turns) {
    const role = turn.role === 'user' ? 'user' : 'model';
    const parts = writeTurn(turn, names, losses);
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  }
  return contents;
}

const MODES: Readonly<Record<ToolChoice['kind'], string>> = {
  auto: 'AUTO',
  none: 'NONE',
  any: 'ANY',
  tool: 'ANY',
};

function writeTools({ tools, choice, parallel }: Toolbox, body: JsonDraft, losses: Losses): void {
  if (tools.length === 0) return;
  if (parallel === false) losses.lose('parallel_tool_calls=false');
  const functionDeclarations = tools.map((tool) => {
    if (tool.cache !== null) losses.hint('cache_control');
    const entry: JsonDraft = { name: tool.name };
    put(entry, 'description', functionDescription(tool, losses));
    entry.parametersJsonSchema = tool.schema;
    return entry;
  });
  body.tools = [{ functionDeclarations }];
  if (choice === null) return;
  const config: JsonDraft = { mode: MODES[choice.kind] };
  if (choice.kind === 'tool') config.allowedFunctionNames = [choice.name];
  body.toolConfig = { functionCallingConfig: config };
}

function writeThinking(reasoning: Reasoning | null, config: JsonDraft): void {
  if (reasoning === null) return;
  if (reasoning.effort === 'off') {
    config.thinkingConfig = { thinkingBudget: 0 };
    return;
  }
  const includeThoughts = reasoning.visible !== false;
  config.thinkingConfig = { thinkingBudget: Math.min(budgetOf(reasoning), 24_576), includeThoughts };
}

function writeOutput(output: OutputShape | null, config: JsonDraft): void {
  if (output === null) return;
  config.responseMimeType = 'application/json';
  if (output.kind === 'schema') config.responseJsonSchema = output.schema;
}

function writeConfig({ sampling, output, reasoning }: Ask): JsonDraft {
  const config: JsonDraft = {};
  put(config, 'maxOutputTokens', sampling.maxOutputTokens);
  put(config, 'temperature', sampling.temperature);
  put(config, 'topP', sampling.topP);
  put(config, 'topK', sampling.topK);
  put(config, 'seed', sampling.seed);
  put(config, 'presencePenalty', sampling.presencePenalty);
  put(config, 'frequencyPenalty', sampling.frequencyPenalty);
  if (sampling.stop.length > 0) config.stopSequences = sampling.stop;
  writeOutput(output, config);
  writeThinking(reasoning, config);
  return config;
}

/** Writes a request of `generateContent`; the model is in its path. */
export function writeRequest(ask: Ask, _traits: UpstreamTraits, losses: Losses): JsonDraft {
  const { system, turns } = ask.conversation;
  const body: JsonDraft = { contents: writeContents(turns, losses) };
  const parts = system.flatMap((part) => writeContent(part, losses));
  if (parts.length > 0) body.systemInstruction = { parts };
  writeTools(ask.toolbox, body, losses);
  const config = writeConfig(ask);
  if (Object.keys(config).length > 0) body.generationConfig = config;
  if (ask.endUser !== null) losses.hint('metadata.user_id');
  return body;
}
