import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bed, paths } from './bed.ts';
import { run } from './run.ts';
import { bedOf } from './testbed.ts';

/** Packs the chart in a folder and adds it to the testbed's Helm repository. */
export async function publishChart(chart: string, name?: string): Promise<{ readonly repoURL: string }> {
  const bed = await bedOf(name);
  const { charts } = paths(bed);
  const repoURL = `http://127.0.0.1:${bed.ports['chart-repository']}`;
  await helm(bed, ['package', chart, '--destination', charts]);
  await helm(bed, ['repo', 'index', charts, '--url', repoURL]);
  return { repoURL };
}

/** Packs the chart in a folder and pushes it to the testbed's OCI registry, below `charts/`. */
export async function pushChart(chart: string, name?: string): Promise<{ readonly repoURL: string }> {
  const bed = await bedOf(name);
  const { temporary, certificate } = paths(bed);
  const repoURL = `oci://127.0.0.1:${bed.ports['oci-registry']}/charts`;
  const packed = await mkdtemp(join(temporary, 'chart-'));
  try {
    await helm(bed, ['package', chart, '--destination', packed]);
    for (const file of await readdir(packed)) {
      await helm(bed, ['push', join(packed, file), repoURL, '--ca-file', certificate('ca')]);
    }
  } finally {
    await rm(packed, { recursive: true });
  }
  return { repoURL };
}

async function helm(bed: Bed, args: readonly string[]): Promise<string> {
  const { program, home } = paths(bed);
  return run(program('helm'), args, { env: { PATH: process.env.PATH, HOME: home } });
}
