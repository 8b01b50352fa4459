// Loaded first by the development server. `node --watch` asks every worker thread to report its imports as messages
// among our own; the folders to watch are named instead (launcher/launch.mjs).
delete process.env.WATCH_REPORT_DEPENDENCIES;
