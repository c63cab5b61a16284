import { extname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readText, workspaceFiles } from './source-files.ts';

const files = workspaceFiles();
const ours = files.filter((path) => !/\/(?:golden|fixtures)\//.test(path));

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Names that say nothing about what a file holds, so that everything ends up there. */
const MEANINGLESS = /^(?:utils?|helpers?|common|managers?|misc)$/;

describe('file names', () => {
  it('of TypeScript and JavaScript are kebab-case', () => {
    // A dot sets off what a file is for: `x.test.ts`, `vitest.stress.config.ts`.
    const wrong = ours.filter((path) => {
      const name = /([^/]+)\.[cm]?[jt]s$/.exec(path)?.[1];
      return name !== undefined && !name.split('.').every((part) => KEBAB.test(part));
    });
    expect(wrong).toEqual([]);
  });

  it('say what is inside', () => {
    const parts = (path: string) => path.split('/').flatMap((part) => part.split(/[.-]/));
    const sources = ours.filter((path) => /^(?:packages|examples|bench|scripts|tests)\/.*\.[cm]?[jt]s$/.test(path));
    expect(sources.filter((path) => parts(path).some((part) => MEANINGLESS.test(part)))).toEqual([]);
  });
});

describe('committed text', () => {
  const binary = new Set(['.png', '.jpg', '.gif', '.ico', '.tgz', '.pack', '.idx', '.woff2']);

  it('names no path of the machine it was written on', () => {
    // Written in two halves so that this file passes its own check.
    const absolute = new RegExp(
      `(?:^|[\\s"'\`=(:,[])/(?:${['work', 'home', 'root', 'Users'].join('|')})/[A-Za-z0-9._-]`,
      'm',
    );
    expect(files.filter((path) => !binary.has(extname(path)) && absolute.test(readText(path)))).toEqual([]);
  });

  it('has no conflict markers and ends lines with LF alone', () => {
    const broken = /^(?:<{7} |>{7} )|\r\n/m;
    expect(ours.filter((path) => !binary.has(extname(path)) && broken.test(readText(path)))).toEqual([]);
  });
});
