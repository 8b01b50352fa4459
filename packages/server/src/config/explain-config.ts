import { createHash } from 'node:crypto';
import { type ConfigSource, defaultText, type LoadedConfig } from './load-config.ts';
import type { SettingGroup } from './setting.ts';
import { type Config, namesOf, SETTING_NAMES, type SettingName, settingSpec } from './settings.ts';

/** One line of `tallygate config explain`. */
export interface ExplainedSetting {
  name: SettingName;
  /** As text; secrets masked. */
  value: string;
  source: ConfigSource;
  /** The flag, variable or file that set it. */
  detail: string;
  flag: string | null;
  env: readonly string[];
  toml: string | null;
  doc: string;
}

/** Every setting with its value, where that came from, and how to set it. Safe to print. */
export function explainConfig(loaded: LoadedConfig): ExplainedSetting[] {
  return SETTING_NAMES.map((name) => {
    const spec = settingSpec(name);
    const { source, detail } = loaded.provenance[name];
    return {
      name,
      value: spec.kind.show(loaded.config[name]),
      source,
      detail,
      ...namesOf(name),
      doc: spec.doc,
    };
  });
}

/** Every setting as `config explain` shows it, secrets masked: for records of what was in force. */
export function shownSettings(config: Config): { name: SettingName; value: string }[] {
  return SETTING_NAMES.map((name) => ({ name, value: settingSpec(name).kind.show(config[name]) }));
}

/** A setting about who may connect, for the screen that says where each is set. */
export interface NetworkSetting {
  name: SettingName;
  /** The environment variable that sets it. */
  variable: string | null;
  value: string;
  doc: string;
}

/** The settings about who may connect here, as `config explain` shows them. */
export function networkSettings(config: Config): NetworkSetting[] {
  return SETTING_NAMES.filter((name) => settingSpec(name).group === 'Network').map((name) => {
    const { kind, doc } = settingSpec(name);
    return { name, variable: namesOf(name).env[0] ?? null, value: kind.show(config[name]), doc };
  });
}

/** SHA-256 of what `shownSettings` gives: the same while the settings are. Tells nothing about any secret. */
export function settingsHash(config: Config): string {
  const text = JSON.stringify(shownSettings(config).map(({ name, value }) => [name, value]));
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** A setting as a command line option. */
export interface SettingFlag {
  name: SettingName;
  /** As commander spells it: `--port <number>`; a switch is `--headless [true|false]`. */
  option: string;
  doc: string;
  defaultText: string;
}

/** The options of every command that loads the configuration; `--config <file>` joins them. */
export function settingFlags(): SettingFlag[] {
  return SETTING_NAMES.flatMap((name) => {
    const { flag } = namesOf(name);
    if (flag === null) return [];
    const { kind, doc } = settingSpec(name);
    const operand = kind.placeholder === null ? '[true|false]' : `<${kind.placeholder}>`;
    return [{ name, option: `${flag} ${operand}`, doc, defaultText: defaultText(name) }];
  });
}

/** A row of the settings documentation. */
export interface DocumentedSetting {
  name: SettingName;
  group: SettingGroup;
  flag: string | null;
  env: readonly string[];
  toml: string | null;
  expected: string;
  /** Markdown. */
  defaultText: string;
  secret: boolean;
  doc: string;
}

/** What `docs/settings.md` is made from. */
export function documentedSettings(): DocumentedSetting[] {
  return SETTING_NAMES.map((name) => {
    const spec = settingSpec(name);
    return {
      name,
      group: spec.group,
      ...namesOf(name),
      expected: spec.kind.expected,
      defaultText: spec.defaultDoc ?? `\`${defaultText(name)}\``,
      secret: spec.kind.secret ?? false,
      doc: spec.doc,
    };
  });
}
