// The whole public API of @caelus/git-store: named re-exports only.

export type { GitSigner } from './commit-signature.ts';
export { createGitStore } from './create-git-store.ts';
export type { GitFileSystem } from './file-access.ts';
export type { GitTransport } from './git-backend.ts';
export type { GitStore } from './git-store.ts';
export type { GitRemoteSettings, GitStoreOptions } from './git-store-options.ts';
export { type NativeGitOptions, nativeGit } from './native/native-git.ts';
export type { NativeGitSshOptions } from './native/ssh-command.ts';
export { DEFAULT_PROTECTED_PATHS } from './path-rules.ts';
export type { BranchTip, PullRequest, PullRequestHost, PullRequestSettings } from './pull-request/pull-request.ts';
export type { GitCredentials, GitCredentialsCallback } from './remote/git-credentials.ts';
export type { Tag } from './tag-refs.ts';
export type { GitTags, NewTag } from './tags.ts';
