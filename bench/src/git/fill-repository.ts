import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commitCommand, fileCommands } from './fast-import-stream.ts';
import { ARM_CONFIGURATION, GIT_ENVIRONMENT, git } from './git-command.ts';
import { filesOf, type LayoutName } from './workload.ts';

const INSTANCES_OF_A_WRITE = 200;

/** Makes a bare repository of one commit with that many instances, in one pack. */
export async function fillRepository(directory: string, layout: LayoutName, size: number): Promise<void> {
  await git('.', ['init', '-q', '--bare', '-b', 'main', directory]);
  const child = spawn('git', ['-C', directory, '-c', 'fastimport.unpackLimit=1', 'fast-import', '--quiet'], {
    env: GIT_ENVIRONMENT,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const closed = once(child, 'close');
  child.stdin.write(commitCommand('fill'));
  for (let index = 0; index < size; index += INSTANCES_OF_A_WRITE) {
    const indexes = Array.from({ length: Math.min(INSTANCES_OF_A_WRITE, size - index) }, (_, offset) => index + offset);
    const part = indexes.map((each) => fileCommands(filesOf(layout, each, 'fill'))).join('');
    if (!child.stdin.write(part)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code] = await closed;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
}

/** A bare copy that shares the packs on disk. */
export async function cloneBare(
  source: string,
  directory: string,
  configuration: readonly string[] = ARM_CONFIGURATION,
): Promise<string> {
  await git('.', ['clone', '-q', ...configuration, '--bare', '--local', source, directory]);
  return directory;
}

export async function cloneWorkTree(source: string, directory: string): Promise<string> {
  await git('.', ['clone', '-q', ...ARM_CONFIGURATION, '--local', source, directory]);
  return directory;
}
