import { enableCompileCache } from 'node:module';

// First: what is imported after this starts from compiled code the next time.
enableCompileCache();
const { exitProcess, processArguments, processTerminal } = await import('./io/process-terminal.ts');
const { runCli } = await import('./run-cli.ts');
exitProcess(await runCli(processArguments(), processTerminal()));
