import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NewChart } from '@caelus/engine';

/** Where the chart of the story lies; the images that it names are on Docker Hub. */
export const CHART_FOLDER: string = fileURLToPath(new URL('../../../charts/guestbook/1.0.0/', import.meta.url));

/** The chart, with its files. */
export function readChart(): NewChart {
  const files = readdirSync(CHART_FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return {
    name: 'guestbook',
    version: '1.0.0',
    files: new Map(files.map((file) => [relative(CHART_FOLDER, file).replaceAll(sep, '/'), readFileSync(file)])),
  };
}
