import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { Logo } from '../../ui/logo.tsx';
import { ProjectSwitcher } from '../project/project-switcher.tsx';
import classes from './app-shell.module.css';
import { Nav } from './nav.tsx';
import { SystemBanner, SystemLine } from './system-state.tsx';
import { useCommandKey } from './use-command-key.ts';
import { UserMenu } from './user-menu.tsx';

/** Its dialog is not a part of the first load. */
const CommandPalette = lazy(async () => ({
  default: (await import('./command-palette.tsx')).CommandPalette,
}));

/** The frame of every screen: navigation at the side (at the bottom on a phone), the work in the middle. */
export function AppShell() {
  const [paletteOpen, setPaletteOpen] = useState(false);
  useCommandKey(() => setPaletteOpen((open) => !open));
  return (
    <div className={classes.shell}>
      <a href="#main" className="skip-link">
        Skip to the content
      </a>
      <header className={classes.side}>
        <div className={classes.brand}>
          <Logo size={26} />
          <span className={classes.name}>Tallygate</span>
        </div>
        <ProjectSwitcher />
        <Nav className={classes.nav} />
        <div className={classes.foot}>
          <button type="button" className={classes.command} onClick={() => setPaletteOpen(true)}>
            <span>Go to…</span>
            <kbd>{isMac() ? '⌘K' : 'Ctrl K'}</kbd>
          </button>
          <UserMenu />
          <SystemLine />
        </div>
      </header>
      <main id="main" className={classes.main} tabIndex={-1}>
        <SystemBanner />
        <Outlet />
      </main>
      <Nav className={classes.bottomNav} />
      <Suspense>{paletteOpen && <CommandPalette opened onClose={() => setPaletteOpen(false)} />}</Suspense>
    </div>
  );
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
