import type { AuditEntryView } from '@tallygate/contract/api/audit';

const KIND_TEXT = {
  anonymous: 'nobody signed in',
  local: 'command line here',
  system: 'the server',
  user: 'a person',
  key: 'a key',
} as const;

/** Who acted: the name where there is one. */
export function whoText({ actor }: AuditEntryView): string {
  return (
    actor.name ?? (actor.kind === 'key' && actor.id !== null ? `key ${actor.id}` : KIND_TEXT[actor.kind])
  );
}

export function outcomeText({ outcome, status }: AuditEntryView): string {
  return status === null ? outcome : `${outcome} ${status}`;
}

/** What it was about, and what changed, in short. */
export function aboutText({ resource, changes }: AuditEntryView): string {
  const fields = changes.map((change) => change.field).join(', ');
  const thing = resource?.replaceAll('_', ' ') ?? '';
  return fields === '' ? thing || '–' : `${thing}${thing === '' ? '' : ': '}${fields}`;
}
