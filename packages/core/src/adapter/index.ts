export { inputRefused, integerIssues, issueUnless, refuseInput, unknownKeys } from '../schema/input-issues.ts';
export { abortable } from './abortable.ts';
export { createLinkedAbort, type LinkedAbort } from './linked-abort.ts';
export { readLiveResources } from './read-live-resources.ts';
