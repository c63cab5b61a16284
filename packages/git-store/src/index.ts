// The whole public API of @caelus/git-store: named re-exports only.

export { createGitStore, type GitStore } from './create-git-store.ts';
export type { GitFileSystem } from './file-access.ts';
export type { GitRemoteSettings, GitStoreOptions } from './git-store-options.ts';
export type { GitCredentials, GitCredentialsCallback } from './remote/http-session.ts';
