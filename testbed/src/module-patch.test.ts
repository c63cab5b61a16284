import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyPatched } from './module-patch.ts';

let folder: string;
let source: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caelus-module-patch-'));
  source = join(folder, 'source');
  await mkdir(source);
  await writeFile(join(source, 'once.go'), 'listen("0.0.0.0:%d", port)\n', { mode: 0o444 });
  await writeFile(join(source, 'twice.go'), '"0.0.0.0:%d" "0.0.0.0:%d"\n');
  await writeFile(join(source, 'never.go'), '"127.0.0.1:%d"\n');
});

afterAll(() => rm(folder, { recursive: true }));

const copy = async (file: string) => {
  const target = join(folder, `copy of ${file}`);
  const patch = { module: 'example.com/m', files: [file], from: '"0.0.0.0:%d"', to: '"127.0.0.1:%d"' };
  await copyPatched(source, patch, target);
  return Promise.all(['once.go', 'twice.go'].map((name) => readFile(join(target, name), 'utf8')));
};

it('replaces the text in that file and nothing else', async () => {
  expect(await copy('once.go')).toEqual(['listen("127.0.0.1:%d", port)\n', '"0.0.0.0:%d" "0.0.0.0:%d"\n']);
  expect(await readFile(join(source, 'once.go'), 'utf8')).toBe('listen("0.0.0.0:%d", port)\n');
});

it.each([
  ['twice.go', 2],
  ['never.go', 0],
])('refuses %s', async (file, times) => {
  await expect(copy(file)).rejects.toThrow(`${file} holds "0.0.0.0:%d" ${times} times, and not once.`);
});
