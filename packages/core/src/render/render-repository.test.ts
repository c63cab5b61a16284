import { describe, expect, it } from 'vitest';
import { contextOf } from '../../test/render-samples.ts';
import { REPOSITORY_FILES } from '../layout/layout.ts';
import { assertRepositoryOwned, parseRepositoryLayout, renderRepository } from './render-repository.ts';

const layoutFile = (layout: 'flat' | 'sharded') => {
  const bytes = renderRepository({ context: contextOf({ layout }), tiers: [] }).get(REPOSITORY_FILES.layout);
  return bytes ?? expect.fail('no layout file');
};
const text = (change: (yaml: string) => string) =>
  new TextEncoder().encode(change(new TextDecoder().decode(layoutFile('flat'))));

describe('renderRepository', () => {
  it('keeps every watched directory in Git even while it is empty', () => {
    for (const layout of ['flat', 'sharded'] as const) {
      const paths = [...renderRepository({ context: contextOf({ layout }), tiers: [] }).keys()];
      const placeholders = paths.filter((path) => path.endsWith('/.gitkeep'));
      expect(placeholders).toHaveLength(layout === 'flat' ? 2 : 257);
      expect(paths.filter((path) => path.startsWith('argo-cd/roots/'))).toHaveLength(layout === 'flat' ? 0 : 256);
    }
  });
});

describe('parseRepositoryLayout', () => {
  it.each(['flat', 'sharded'] as const)('reads what was written for %s', (layout) => {
    expect(parseRepositoryLayout(layoutFile(layout))).toEqual({ storeId: contextOf().storeId, layout, version: 1 });
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a later version', text((yaml) => yaml.replace('version: 1', 'version: 2'))],
    ['another layout', text((yaml) => yaml.replace('flat', 'deep'))],
    ['an unknown field', text((yaml) => `${yaml}more: 1\n`)],
    ['a duplicate key', text((yaml) => `${yaml}version: 1\n`)],
    ['an alias', text((yaml) => `${yaml.replace('version: 1', 'version: &a 1')}more: *a\n`)],
    ['text that is no YAML', new TextEncoder().encode('{')],
    ['a file past 4096 bytes', text((yaml) => `${yaml}#${'x'.repeat(4096)}\n`)],
  ])('refuses %s', (_what, bytes) => {
    expect(() => parseRepositoryLayout(bytes)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  });

  it('reads a file of 4096 bytes', () => {
    const bytes = layoutFile('flat');
    const padded = text((yaml) => `${yaml}#${'x'.repeat(4096 - bytes.length - 2)}\n`);
    expect(padded).toHaveLength(4096);
    expect(parseRepositoryLayout(padded).layout).toBe('flat');
  });
});

describe('assertRepositoryOwned', () => {
  const found = parseRepositoryLayout(layoutFile('flat'));

  it('accepts its own', () => {
    expect(assertRepositoryOwned(found, contextOf())).toBeUndefined();
  });

  it('refuses another database and another layout', () => {
    const other = { ...found, storeId: '99999999-2222-4333-8444-555555555555' as never };
    expect(() => assertRepositoryOwned(other, contextOf())).toThrow(
      expect.objectContaining({ code: 'STORE_FOREIGN', details: { expected: found.storeId, actual: other.storeId } }),
    );
    expect(() => assertRepositoryOwned(found, contextOf({ layout: 'sharded' }))).toThrow(
      expect.objectContaining({ code: 'STORE_FOREIGN', details: { expected: 'sharded', actual: 'flat' } }),
    );
  });
});
