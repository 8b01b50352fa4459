import { describeStore } from '@tallygate/testkit/store-conformance';
import { sqliteTarget } from '@tallygate/testkit/store-target';
import { sqliteEngine } from './engine.ts';

describeStore(sqliteEngine, sqliteTarget());
