import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parseSource, readText, walk, workspaceFiles } from './source-files.ts';

const sources = workspaceFiles()
  .filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
  .map(parseSource);

/** Every code of `ErrorDetails`: the core's own, and what adapters add to it. */
const codes = sources.flatMap((source) => {
  const found: string[] = [];
  walk(source, (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== 'ErrorDetails') return;
    for (const { name } of node.members) if (name !== undefined && ts.isIdentifier(name)) found.push(name.text);
  });
  return found;
});

/** Every string of the sources that is not a type: what is thrown, passed on or compared with. */
const mentioned = new Set<string>();
for (const source of sources) {
  walk(source, (node) => {
    if (ts.isStringLiteralLike(node) && !ts.isLiteralTypeNode(node.parent)) mentioned.add(node.text);
  });
}

const [, ...sections] = readText('docs/errors.md').split(/^## /m);
const headings = sections.map((section) => section.slice(0, section.indexOf('\n')).trim());

describe('docs/errors.md', () => {
  it('has one section for each code, and no other', () => {
    expect(codes).toContain('INVALID_INPUT');
    expect(headings.toSorted()).toEqual(codes.toSorted());
  });

  it('has its sections in alphabetical order', () => {
    expect(headings).toEqual(headings.toSorted());
  });

  it.each(sections.map((section, index) => ({ code: headings[index], section })))(
    'says of $code what it means and what to do',
    ({ section }) => {
      const [meaning = '', remedy = ''] = section.slice(section.indexOf('\n')).split('**What to do:**');
      expect(meaning.trim().length).toBeGreaterThan(30);
      expect(remedy.trim().length).toBeGreaterThan(20);
    },
  );
});

describe('the codes', () => {
  it('are defined once', () => {
    expect(codes).toEqual([...new Set(codes)]);
  });

  it('are all used by some source', () => {
    expect(codes.filter((code) => !mentioned.has(code))).toEqual([]);
  });

  it('follow NOUN_CONDITION', () => {
    expect(codes.filter((code) => !/^[A-Z]+(?:_[A-Z]+)*$/.test(code))).toEqual([]);
  });
});
