import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StartedProcess } from '../process-calls.ts';
import { cloneBare, cloneWorkTree, fillRepository } from './fill-repository.ts';
import { SERVER_CONFIGURATION } from './git-command.ts';
import type { GitHttpServer } from './git-http-server.ts';
import type { LayoutName } from './workload.ts';

/** The programs that run in processes of their own. */
export type Programs = Readonly<Record<'arm' | 'server', string>>;

/** What the parts of the benchmark share: a repository of one layout and size, and copies of it. */
export interface Place extends AsyncDisposable {
  readonly layout: LayoutName;
  readonly size: number;
  readonly programs: Programs;
  /** Removed at the end. */
  readonly directory: string;
  readonly template: string;
  /** A bare copy under a new name. */
  copy(name: string): Promise<string>;
  copyWorkTree(name: string): Promise<string>;
  /** Where nothing is yet, for an arm that makes its own repository. */
  path(name: string): string;
  /** A bare copy that the HTTP server serves. */
  serve(name: string): Promise<ServedRepository>;
  /** A work tree, handed from part to part: to check out the files of 50,000 instances takes long. */
  workTree(): Promise<string>;
}

export interface ServedRepository {
  readonly directory: string;
  readonly url: string;
  /** Bytes that pushes have sent to it. */
  received(): Promise<number>;
}

export interface PlaceOptions {
  /** Where the HTTP server finds its repositories, too. */
  readonly root: string;
  readonly layout: LayoutName;
  readonly size: number;
  readonly programs: Programs;
  readonly server: StartedProcess<GitHttpServer>;
  readonly serverUrl: string;
}

export async function createPlace({ root, layout, size, programs, server, serverUrl }: PlaceOptions): Promise<Place> {
  const name = `${layout}-${size}`;
  const directory = join(root, name);
  const template = join(directory, 'template.git');
  await mkdir(directory);
  await fillRepository(template, layout, size);
  let workTree: Promise<string> | undefined;
  return {
    layout,
    size,
    programs,
    directory,
    template,
    path: (each) => join(directory, `${each}.git`),
    copy: (each) => cloneBare(template, join(directory, `${each}.git`)),
    copyWorkTree: (each) => cloneWorkTree(template, join(directory, each)),
    async serve(each) {
      const repository = `${name}/served-${each}.git`;
      return {
        directory: await cloneBare(template, join(root, repository), SERVER_CONFIGURATION),
        url: `${serverUrl}/${repository}`,
        received: () => server.call('received', repository),
      };
    },
    workTree() {
      workTree ??= cloneWorkTree(template, join(directory, 'work-tree'));
      return workTree;
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
