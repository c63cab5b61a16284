import { remoteScenarios } from './remote-scenarios.ts';

remoteScenarios();
