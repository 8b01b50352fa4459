import { describeStore } from '@tallygate/testkit/store-conformance';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { postgresEngine } from './engine.ts';

describeStore(postgresEngine, await postgresTarget());
