import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconPlus } from '@tabler/icons-react';
import { type Environment, type ProjectView, projectCreateRequest } from '@tallygate/contract/api/projects';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { fieldErrors } from '../../app/api/client.ts';
import { projectsQuery } from '../../app/api/queries.ts';
import { ENVIRONMENT_LABELS } from '../../app/url/environment.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import form from '../../ui/form.module.css';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { schemaErrors } from '../../ui/schema-errors.ts';
import { SectionState } from '../../ui/section.tsx';
import { KeyTabs } from '../../ui/section-tabs.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';

const ENVIRONMENTS = Object.entries(ENVIRONMENT_LABELS).map(([value, label]) => ({ value, label }));

function ProjectRow({ project }: { project: ProjectView }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const move = useMutation({
    mutationFn: (environment: Environment) =>
      api.send<ProjectView>('PATCH', `/api/projects/${encodeURIComponent(project.id)}`, { environment }),
    onSuccess: async ({ name, environment }) => {
      announce(`${name} is ${ENVIRONMENT_LABELS[environment].toLowerCase()} now, with its past.`);
      await queryClient.invalidateQueries({ queryKey: ['projects'] });
    },
  });
  return (
    <tr>
      <th scope="row" className={list.name}>
        <div>
          {project.name}
          <FormError error={move.error} />
        </div>
      </th>
      <td data-label="Slug">
        <code>{project.slug}</code>
      </td>
      <td data-label="Environment">
        <Select
          aria-label={`Environment of ${project.name}`}
          size="xs"
          data={ENVIRONMENTS}
          value={move.isPending ? move.variables : project.environment}
          disabled={move.isPending}
          onChange={(value) => value !== null && move.mutate(value as Environment)}
          allowDeselect={false}
        />
      </td>
      <td data-label="Figures">
        <Link to="/" search={{ project: [project.id] }}>
          Show
        </Link>
      </td>
    </tr>
  );
}

function CreateProject({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const fields = useForm({
    initialValues: { slug: '', environment: 'production' },
    validate: (values) => schemaErrors(projectCreateRequest, values),
  });
  const create = useMutation({
    mutationFn: (values: typeof fields.values) => api.send<ProjectView>('POST', '/api/projects', values),
    onSuccess: async ({ name }) => {
      onClose();
      announce(`${name} is there. Make a key for it under Keys.`);
      await queryClient.invalidateQueries({ queryKey: ['projects'] });
    },
    onError: (error) => fields.setErrors(fieldErrors(error)),
  });
  return (
    <Modal opened onClose={onClose} title="Create project" size={480}>
      <form className={form.form} onSubmit={fields.onSubmit((values) => create.mutate(values))} noValidate>
        <TextInput
          label="Slug"
          description="Lower-case letters, digits and dashes"
          placeholder="web-staging"
          required
          data-autofocus
          {...fields.getInputProps('slug')}
        />
        <Select
          label="Environment"
          description="Figures and alerts of different environments are kept apart"
          data={ENVIRONMENTS}
          allowDeselect={false}
          {...fields.getInputProps('environment')}
        />
        <FormError error={create.error} />
        <div className={form.row}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Create project
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** What keys belong to and figures are split by, and what each one's traffic is for (TW-20). */
export function ProjectsScreen() {
  useTitle('Projects');
  const query = useQuery(projectsQuery(useApi()));
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHeader title="Projects">
        <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
          Create project
        </Button>
      </PageHeader>
      <KeyTabs />
      <div className={panel.panel}>
        {query.isPending && (
          <SectionState>
            <span className="sr-only">Loading the projects</span>
            <SkeletonLines lines={4} />
          </SectionState>
        )}
        {query.isError && !query.data && (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.data && (
          <ListTable columns={['Name', 'Slug', 'Environment', 'Figures']}>
            {query.data.projects.map((project) => (
              <ProjectRow key={project.id} project={project} />
            ))}
          </ListTable>
        )}
      </div>
      {creating && <CreateProject onClose={() => setCreating(false)} />}
    </>
  );
}
