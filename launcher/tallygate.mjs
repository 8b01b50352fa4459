#!/usr/bin/env node
// Entry of the command line: `./tallygate` in a clone, `tallygate` when installed.
import { requireNode } from './require-node.mjs';

if (requireNode(process.versions.node)) {
  void import('./launch.mjs').then(({ runCommandLine }) => runCommandLine(process.argv.slice(2)));
}
