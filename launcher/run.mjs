// Entry of the scripts in package.json: `node launcher/run.mjs start -- --port 4200`.
import { requireNode } from './require-node.mjs';

if (requireNode(process.versions.node)) {
  void import('./launch.mjs').then(({ runScript }) => runScript(process.argv.slice(2)));
}
