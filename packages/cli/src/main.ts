import { enableCompileCache } from 'node:module';

// First: what is imported after this starts from compiled code the next time.
enableCompileCache();
const { exitProcess, keepAlive, processArguments, processTerminal } = await import(
  './io/process-terminal.ts'
);
const { runCli } = await import('./run-cli.ts');
const release = keepAlive();
const exitCode = await runCli(processArguments(), processTerminal());
release();
exitProcess(exitCode);
