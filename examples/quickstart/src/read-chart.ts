import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NewChart } from '@caelus/engine';

const charts = fileURLToPath(new URL('../../../charts/', import.meta.url));

/** Reads one of the charts that this repository brings. */
export function readChart(name: string, version: string): NewChart {
  const directory = join(charts, name, version);
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return {
    name,
    version,
    files: new Map(files.map((file) => [relative(directory, file).replaceAll(sep, '/'), readFileSync(file)])),
  };
}

/** One of a chart's files as text. */
export function textOf({ files }: NewChart, path: string): string {
  return new TextDecoder().decode(files.get(path));
}
