import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { entryPoints, packageNames, parseSource, root } from './source-files.ts';

interface Exported {
  readonly name: string;
  readonly isType: boolean;
}

/** The names that an entry point re-exports. Everything but `export { a, type B } from '…'` is an error. */
function exportsOf(path: string): readonly Exported[] {
  return parseSource(path).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
      throw new Error(`${path}: an entry point holds named re-exports only, not: ${statement.getText().slice(0, 60)}`);
    }
    const { isTypeOnly, exportClause } = statement;
    return exportClause.elements.map(({ name, isTypeOnly: typeName }) => ({
      name: name.text,
      isType: isTypeOnly || typeName,
    }));
  });
}

/** What exists at run time first, then the types, each by name. */
const lines = (names: readonly Exported[]) => [
  ...namesOf(names, false),
  ...namesOf(names, true).map((name) => `type ${name}`),
];
const namesOf = (names: readonly Exported[], types: boolean) =>
  names.flatMap(({ name, isType }) => (isType === types ? [name] : [])).toSorted();

describe.each(packageNames())('the public API of @caelus/%s', (name) => {
  // A change of the list is a change of the API: update it with `npm run api:update`, and write a changeset.
  it('is the one in test/public-api.txt', async () => {
    const sections = entryPoints(name).map(({ subpath, path }) =>
      [`# ${join('@caelus', name, subpath)}`, ...lines(exportsOf(path)), ''].join('\n'),
    );
    expect(sections.length).toBeGreaterThan(0);
    await expect(sections.join('\n')).toMatchFileSnapshot(join(root, 'packages', name, 'test/public-api.txt'));
  });

  it.each(entryPoints(name))(
    'exports at run time from $subpath what its source names, and no default',
    async (entry) => {
      const loaded = Object.keys((await import(join(root, entry.path))) as object).toSorted();
      const named = exportsOf(entry.path).filter(({ isType }) => !isType);
      expect(loaded).toEqual(named.map((exported) => exported.name).toSorted());
      expect(loaded).not.toContain('default');
    },
  );
});
