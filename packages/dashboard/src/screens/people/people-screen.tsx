import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { EntryLinkView } from '@tallygate/contract/api/people';
import { useState } from 'react';
import { useMay } from '../../app/api/use-may.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { Invitations } from './invitations.tsx';
import { InviteForm } from './invite-form.tsx';
import { LinkOnce } from './link-once.tsx';
import { Roles } from './roles.tsx';
import { SecondFactorRule } from './second-factor-rule.tsx';
import { Sessions } from './sessions.tsx';
import { Users } from './users.tsx';

/** A one-time link, and whom it is for in words. */
export interface MadeLink {
  link: EntryLinkView;
  title: string;
  text: string;
}

/** Who may sign in, as what, and under which rules. */
export function PeopleScreen() {
  useTitle('People');
  const may = useMay();
  const [inviting, setInviting] = useState(false);
  const [made, setMade] = useState<MadeLink | null>(null);
  return (
    <>
      <PageHeader title="People">
        <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
          Invite
        </Button>
      </PageHeader>
      <Users onLink={setMade} />
      <Sessions />
      <Invitations />
      <Roles />
      {may('security.manage') && <SecondFactorRule />}
      {inviting && (
        <InviteForm
          onClose={() => setInviting(false)}
          onInvited={(link) => {
            setInviting(false);
            setMade(link);
          }}
        />
      )}
      {made !== null && <LinkOnce made={made} onStored={() => setMade(null)} />}
    </>
  );
}
