// Prints the bill of materials of what ships, as CycloneDX JSON. Usage: npm run sbom > tallygate.cdx.json
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { billOfMaterials } from './checks/supply-chain.mjs';

process.stdout.write(await billOfMaterials(dirname(dirname(fileURLToPath(import.meta.url)))));
