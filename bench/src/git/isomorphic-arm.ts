import * as fs from 'node:fs';
import isomorphic, { type TreeEntry } from 'isomorphic-git';
import http from 'isomorphic-git/http/node';
import type { Arm, ArmSettings } from './arm.ts';
import { IDENTITY } from './git-command.ts';
import { writeToWorkTree } from './work-tree-arm.ts';

const message = 'update one instance';

/** `add` and `commit` in a work tree. */
export async function openIsomorphicWorkTreeArm({ directory: dir }: ArmSettings): Promise<Arm> {
  return {
    async write(files) {
      await writeToWorkTree(dir, files);
      await isomorphic.add({ fs, dir, filepath: files.map(([path]) => path) });
      await isomorphic.commit({ fs, dir, message, author: IDENTITY });
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Objects written in a bare repository, its fastest way by far, and its push. */
export async function openIsomorphicObjectsArm({ directory: gitdir, url }: ArmSettings): Promise<Arm> {
  const cache = {};
  const repository = { fs, gitdir, cache };

  async function withFile(tree: string | null, [name = '', ...rest]: readonly string[], oid: string): Promise<string> {
    const entries = tree === null ? [] : (await isomorphic.readTree({ ...repository, oid: tree })).tree;
    const old = entries.find(({ path }) => path === name);
    const entry: TreeEntry =
      rest.length === 0
        ? { mode: '100644', path: name, oid, type: 'blob' }
        : { mode: '040000', path: name, oid: await withFile(old?.oid ?? null, rest, oid), type: 'tree' };
    return isomorphic.writeTree({ ...repository, tree: [...entries.filter((each) => each !== old), entry] });
  }

  return {
    async write(files) {
      const parent = await isomorphic.resolveRef({ fs, gitdir, ref: 'refs/heads/main' });
      let { tree } = (await isomorphic.readCommit({ ...repository, oid: parent })).commit;
      for (const [path, text] of files) {
        const oid = await isomorphic.writeBlob({ ...repository, blob: Buffer.from(text) });
        tree = await withFile(tree, path.split('/'), oid);
      }
      await isomorphic.commit({
        ...repository,
        ref: 'refs/heads/main',
        tree,
        parent: [parent],
        message,
        author: IDENTITY,
      });
      if (url !== undefined) await isomorphic.push({ ...repository, http, url, ref: 'main', remoteRef: 'main' });
    },
    async [Symbol.asyncDispose]() {},
  };
}
