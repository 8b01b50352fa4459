import { defineCommand } from '../../command.ts';

export const configExplain = defineCommand({
  name: 'config explain',
  summary: 'Every setting, its value and where that came from',
  description:
    'Shows each setting as the server would resolve it with these options, in this environment and folder. ' +
    'Options win over environment variables, these over tallygate.toml, that over the default. Secrets are masked.',
  takesSettings: true,
  examples: [
    { command: 'config explain', explains: 'What "tallygate start" would use here' },
    { command: 'config explain --port 8080 --json', explains: 'With an option, as JSON' },
  ],
  async handler(context) {
    const { explainConfig } = await import('@tallygate/server/config/explain-config');
    const explained = explainConfig(await context.settings());
    context.result({ settings: explained }, () =>
      context.table(explained, [
        { header: 'SETTING', value: (it) => it.name },
        {
          header: 'VALUE',
          value: (it) => it.value,
          style: (text, it) => (it.source === 'default' ? text : context.style.bold(text)),
        },
        {
          header: 'FROM',
          value: (it) => (it.source === 'default' ? 'default' : `${it.source}: ${it.detail}`),
        },
        {
          header: 'SET WITH',
          value: (it) => [it.flag, it.env[0], it.toml].filter((name) => name !== null).join(' | '),
        },
      ]),
    );
    return undefined;
  },
});
