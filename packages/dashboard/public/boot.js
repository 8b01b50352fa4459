// Runs before the first paint, so that the page never flashes the other theme. A file of its own: the policy allows
// no inline script. The key is the one that the theme switch writes.
(() => {
  // zod would try whether it may compile code at run time. The policy says no, and would report the try.
  globalThis.__zod_globalConfig = { jitless: true };
  let choice = 'auto';
  try {
    choice = localStorage.getItem('tallygate-theme') || 'auto';
  } catch {
    // Storage may be blocked; the system's preference then decides.
  }
  const dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
