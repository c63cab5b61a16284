import { type Bed, paths } from './bed.ts';
import { run } from './run.ts';

/** Runs kubectl as the administrator of the testbed's cluster, and returns what it printed. */
export async function kubectl(bed: Bed, args: readonly string[], input?: string): Promise<string> {
  const { program, kubeconfig, home } = paths(bed);
  return run(program('kubectl'), args, {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig('admin') },
    ...(input !== undefined && { input }),
  });
}

/** Applies objects by server-side apply, and takes fields over from whoever has them. */
export async function apply(bed: Bed, objects: readonly object[]): Promise<string> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  return kubectl(bed, ['apply', '--server-side', '--force-conflicts', '-f', '-'], list);
}
