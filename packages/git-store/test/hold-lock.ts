// Takes the lock of the branch in the directory that it is given, says so, and holds it until it is killed.
import { silentLogger } from '@caelus/core';
import { createDiskFiles } from '../src/disk-files.ts';
import { withRefLock } from '../src/ref-lock.ts';

const [directory = ''] = process.argv.slice(2);
await withRefLock(
  {
    files: createDiskFiles(),
    path: `${directory}/refs/heads/main.lock`,
    scratch: `${directory}/caelus`,
    logger: silentLogger,
    waitMilliseconds: 1000,
  },
  () => {
    process.stdout.write('held\n');
    return new Promise(() => setInterval(() => {}, 1000));
  },
);
