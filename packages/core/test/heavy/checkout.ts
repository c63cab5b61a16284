import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { instanceFiles, type JsonObject, type RenderInstanceInput, type RepoTree, renderInstance } from '@caelus/core';
import { parseAllDocuments } from 'yaml';
import { execute } from './go-tools.ts';

export const chartsFolder: string = fileURLToPath(new URL('../../../../charts/', import.meta.url));

/** A folder of its own that is removed in the end. */
export class TemporaryFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'caelus-charts-'));

  /** Makes a folder below and returns its path. */
  folder(...segments: readonly string[]): string {
    const path = join(this.path, ...segments);
    mkdirSync(path, { recursive: true });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Writes `tree` as a clone of the GitOps repository has it, with this repository's own charts beside it. */
export function checkOut(tree: RepoTree): TemporaryFolder {
  const folder = new TemporaryFolder();
  cpSync(chartsFolder, folder.folder('charts'), { recursive: true });
  for (const [path, bytes] of tree) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    writeFileSync(join(folder.path, path), bytes);
  }
  return folder;
}

/** Where the values file of the rendered instance lies in a clone. */
export function valuesFileIn(clone: TemporaryFolder, { context, instance }: RenderInstanceInput): string {
  return join(clone.path, instanceFiles(context.layout, instance.id).values);
}

/** What helm prints of a chart, called as Argo CD calls it, with the values file that Caelus wrote. */
export async function helmTemplate(helm: string, input: RenderInstanceInput, chart: string): Promise<string> {
  using clone = checkOut(renderInstance(input).tree);
  const { releaseName, namespace } = input.instance;
  const values = valuesFileIn(clone, input);
  const args = ['template', releaseName, chart, '--namespace', namespace, '--values', values, '--include-crds'];
  return await execute(helm, args);
}

/** The manifests that a renderer printed, ordered by kind and name. */
export function manifestsOf(output: string): readonly JsonObject[] {
  const documents = parseAllDocuments(output);
  const broken = documents.flatMap((document) => document.errors);
  if (broken.length > 0) throw new Error(`The output is not YAML: ${broken[0]?.message}`);
  const manifests = documents
    .map((document) => document.toJS() as JsonObject | null)
    .filter((manifest) => manifest !== null);
  return manifests.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

export function nameOf({ kind, metadata }: JsonObject): string {
  return `${String(kind)}/${String((metadata as JsonObject).name)}`;
}
