import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { integer } from '../../options/parsers.ts';
import { findRule } from './rule-text.ts';

const rule = argument('RULE', 'Id or name of the rule');

export const rulesEnable = defineCommand({
  name: 'rules enable',
  summary: 'Switch a rule on',
  description: 'Switches a rule on: the next request goes by it.',
  positionals: { rule },
  examples: [{ command: 'rules enable cheap-reviews', explains: 'By name' }],
  async handler(context, args) {
    const api = await context.connect('write');
    const changed = await api.rules.update((await findRule(api, args.rule)).id, { enabled: true });
    context.result(changed, () => `Rule ${changed.name} is on.\n`);
    return undefined;
  },
});

export const rulesDisable = defineCommand({
  name: 'rules disable',
  summary: 'Switch a rule off',
  description: 'Switches a rule off and keeps it: the next request passes it over.',
  positionals: { rule },
  examples: [{ command: 'rules disable cheap-reviews', explains: 'By name' }],
  async handler(context, args) {
    const api = await context.connect('write');
    const changed = await api.rules.update((await findRule(api, args.rule)).id, { enabled: false });
    context.result(changed, () => `Rule ${changed.name} is off.\n`);
    return undefined;
  },
});

export const rulesMove = defineCommand({
  name: 'rules move',
  summary: 'Put a rule at another place in the order',
  description:
    'The first rule that matches a request applies, so their order matters. Place 1 is tried first.',
  positionals: { rule, place: argument('PLACE', 'Place from 1 on', integer(1, 1000)) },
  examples: [{ command: 'rules move cheap-reviews 1', explains: 'Try it first' }],
  async handler(context, args) {
    const api = await context.connect('write');
    const { id } = await findRule(api, args.rule);
    const ids = (await api.rules.list()).rules.map((other) => other.id).filter((other) => other !== id);
    ids.splice(args.place - 1, 0, id);
    const view = await api.rules.order(ids);
    context.result(view, () => `The order is: ${view.rules.map(({ name }) => name).join(', ')}.\n`);
    return undefined;
  },
});

export const rulesRemove = defineCommand({
  name: 'rules remove',
  summary: 'Remove a rule',
  description: 'Removes a rule for good. What it did stays with the requests it applied to.',
  positionals: { rule },
  examples: [{ command: 'rules remove cheap-reviews', explains: 'By name' }],
  async handler(context, args) {
    const api = await context.connect('write');
    const { id, name } = await findRule(api, args.rule);
    await api.rules.remove(id);
    context.result({ id, removed: true }, () => `Rule ${name} is removed.\n`);
    return undefined;
  },
});
