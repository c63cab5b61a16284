import { type ProposedChange, parseRepoPath } from '@caelus/core';
import { createGitStore, nativeGit } from '@caelus/git-store';
import type { Arm, ArmSettings } from './arm.ts';

/** The Git store in a bare repository: as it comes, or with the git binary as its transport. */
export async function openStoreArm({ kind, directory, url }: ArmSettings): Promise<Arm> {
  const store = await createGitStore({
    directory,
    remote: url === undefined ? undefined : { url },
    transport: kind === 'native-store' ? nativeGit() : undefined,
  });
  return {
    async write(files) {
      const edits = files.map(([path, text]) => ({ path: parseRepoPath(path), bytes: Buffer.from(text) }));
      const change: ProposedChange = {
        subject: 'bench',
        propose: async () => ({ edits, summary: 'update one instance', trailers: [], actor: null }),
      };
      const [receipt] = await store.write([change]);
      if (receipt?.outcome === 'failed') throw receipt.error;
      if (receipt?.outcome !== 'written') throw new Error('the change wrote nothing');
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
