export const SCHEMA = { type: 'object', properties: { city: { type: 'string' } } };
export const PNG = 'iVBORw0KGgo=';

/** The same request in each API: instructions, a picture, a call and its result, instructions in between, limits, a schema. */
export const MESSAGES = {
  model: 'm',
  max_tokens: 5000,
  temperature: 0.5,
  top_p: 0.9,
  top_k: 40,
  system: 'Be brief.',
  metadata: { user_id: 'user-1' },
  thinking: { type: 'enabled', budget_tokens: 3000 },
  output_config: { format: { type: 'json_schema', schema: SCHEMA } },
  tools: [{ name: 'weather', description: 'Tells it', input_schema: SCHEMA }],
  tool_choice: { type: 'tool', name: 'weather' },
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
        {
          type: 'document',
          title: 'a.pdf',
          source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
        },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bern' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'call_1', content: 'sunny', is_error: true },
        { type: 'text', text: 'Go on' },
      ],
    },
  ],
};

/** As a request of the Responses API. */
export const RESPONSES = {
  model: 'm',
  max_output_tokens: 5000,
  temperature: 0.5,
  top_p: 0.9,
  instructions: 'Be brief.',
  safety_identifier: 'user-1',
  store: true,
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'json_schema', name: 'a', schema: SCHEMA, strict: true }, verbosity: 'low' },
  tools: [{ type: 'function', name: 'weather', description: 'Tells it', parameters: SCHEMA, strict: true }],
  tool_choice: { type: 'function', name: 'weather' },
  parallel_tool_calls: false,
  input: [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Look' },
        { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
        { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
      ],
    },
    {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
    },
    { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' },
    { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'sunny' }] },
    { role: 'user', content: 'Go on' },
  ],
};

/** As a request of Gemini. */
export const GEMINI = {
  system_instruction: { parts: [{ text: 'Be brief.' }] },
  generationConfig: {
    maxOutputTokens: 5000,
    temperature: 0.5,
    topP: 0.9,
    stopSequences: ['END'],
    responseMimeType: 'application/json',
    responseSchema: { type: 'OBJECT', properties: { city: { type: 'STRING', nullable: true } } },
    thinkingConfig: { thinkingBudget: 2048, includeThoughts: true },
  },
  tools: [
    {
      functionDeclarations: [
        {
          name: 'weather',
          description: 'Tells it',
          parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } } },
        },
      ],
    },
  ],
  toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
  safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
  contents: [
    { role: 'user', parts: [{ text: 'Look' }, { inline_data: { mime_type: 'image/png', data: PNG } }] },
    {
      role: 'model',
      parts: [{ text: 'I look.' }, { functionCall: { name: 'weather', args: { city: 'Bern' } } }],
    },
    {
      role: 'user',
      parts: [{ functionResponse: { name: 'weather', response: { output: 'sunny' } } }, { text: 'Go on' }],
    },
  ],
};
