import { IconFolder } from '@tabler/icons-react';
import { useLocation, useNavigate, useSearch } from '@tanstack/react-router';
import type { Filters } from '../url/filters.ts';
import { isAboutProjects } from '../url/project.ts';
import classes from './project-switcher.module.css';
import { rememberProject } from './remembered-project.ts';
import { useProjects } from './use-projects.ts';

const ALL = '';

/** A project that is in the URL and in no list still has a name, so that it can be seen and left. */
function optionsOf(projects: readonly { id: string; name: string }[], chosen: readonly string[]) {
  const known = projects.map(({ id, name }) => ({ value: id, label: name }));
  const [only] = chosen;
  if (chosen.length > 1) return [...known, { value: chosen.join(','), label: `${chosen.length} projects` }];
  const unknown = only !== undefined && !projects.some(({ id }) => id === only);
  return unknown ? [...known, { value: only, label: only }] : known;
}

/** One project for Overview, Requests, Budgets, Limits, Keys and Alerts: in the URL, and remembered by the browser. */
export function ProjectSwitcher() {
  const projects = useProjects();
  const navigate = useNavigate();
  const path = useLocation({ select: ({ pathname }) => pathname });
  const chosen = (useSearch({ strict: false }) as Filters).project ?? [];
  const applies = isAboutProjects(path);
  if (projects === null || (projects.length < 2 && chosen.length === 0)) return null;
  const choose = (value: string): void => {
    rememberProject(value === ALL ? null : value);
    void navigate({
      to: '.',
      search: (before: object) => ({ ...before, project: value === ALL ? undefined : value.split(',') }),
    });
  };
  return (
    <label
      className={classes.switcher}
      data-off={!applies}
      title={applies ? undefined : 'Not about one project'}
    >
      <IconFolder size={17} stroke={1.7} aria-hidden className={classes.icon} />
      <span className="sr-only">Project</span>
      <select
        className={classes.select}
        value={applies ? chosen.join(',') : ALL}
        disabled={!applies}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value={ALL}>{applies ? 'All projects' : 'Whole workspace'}</option>
        {optionsOf(projects, chosen).map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
