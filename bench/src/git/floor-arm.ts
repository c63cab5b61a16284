import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arm, ArmSettings } from './arm.ts';
import { git } from './git-command.ts';

/**
 * What no writer can leave out: the SHA-1 of each tree on the changed paths, one fsync and, with a remote, a push without
 * objects, which starts the server's receive-pack and moves a ref.
 */
export async function openFloorArm({ directory, url, treeBytes = [] }: ArmSettings): Promise<Arm> {
  const trees = treeBytes.map((bytes) => Buffer.alloc(bytes));
  const file = await open(join(directory, 'floor'), 'w');
  const commit = url === undefined ? '' : (await git('.', ['ls-remote', url, 'refs/heads/main'])).slice(0, 40);
  let pushes = 0;

  async function push(): Promise<void> {
    pushes += 1;
    const command = `${'0'.repeat(40)} ${commit} refs/heads/floor-${pushes}\0report-status`;
    const length = (command.length + 4).toString(16).padStart(4, '0');
    const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
    const pack = Buffer.concat([header, createHash('sha1').update(header).digest()]);
    const response = await fetch(`${url}/git-receive-pack`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request' },
      body: Buffer.concat([Buffer.from(`${length}${command}0000`), pack]),
    });
    const report = await response.text();
    if (!report.includes(`ok refs/heads/floor-${pushes}`)) throw new Error(`the push of the floor failed: ${report}`);
  }

  return {
    async write(files) {
      for (const tree of trees) createHash('sha1').update(tree).digest();
      await file.write(Buffer.from(files.map(([, text]) => text).join('')), 0, undefined, 0);
      await file.sync();
      if (url !== undefined) await push();
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
