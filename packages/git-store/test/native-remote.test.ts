import { nativeGit } from '@caelus/git-store';
import { remoteScenarios } from './remote-scenarios.ts';

remoteScenarios(nativeGit());
