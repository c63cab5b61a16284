import { isCaelusError, type Repository } from '@caelus/core';
import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { createSqlRepository } from '../src/index.ts';

const attacks = [
  `'`,
  `' OR '1'='1`,
  `' OR 1=1 --`,
  `'; DROP TABLE deployment; --`,
  `'); DELETE FROM event; --`,
  `' UNION ALL SELECT key, value, 1, 1 FROM meta --`,
  `"; UPDATE meta SET value = 'x`,
  `x' AND (SELECT load_extension('x')) --`,
  `\\'; ATTACH DATABASE '/tmp/x' AS x; --`,
  '?',
  '?1',
  ':id',
  '$1',
  '%',
  '_%',
  'x\u0000 OR 1=1',
  '1; SELECT randomblob(1000000000)',
];

// Every argument that is text, with the brand of whatever it should be.
const any = (text: string) => text as never;
const readers: Readonly<Record<string, (repository: Repository, text: string) => Promise<unknown>>> = {
  findProduct: (repository, text) => repository.findProduct(any(text)),
  findProductBySlug: (repository, text) => repository.findProductBySlug(any(text)),
  findTemplateVersion: (repository, text) => repository.findTemplateVersion(any(text)),
  findInstance: (repository, text) => repository.findInstance(any(text)),
  findInstanceByArgoAppName: (repository, text) => repository.findInstanceByArgoAppName(text),
  findGitState: (repository, text) => repository.findGitState(any(text)),
  findDrift: (repository, text) => repository.findDrift(any(text)),
  hasChange: (repository, text) => repository.hasChange(any(text), any(text)),
  'listTemplateVersions productId': (repository, text) => repository.listTemplateVersions({ productId: any(text) }),
  'listInstances tenant': (repository, text) => repository.listInstances({ tenant: any(text) }),
  'listInstances productId': (repository, text) => repository.listInstances({ productId: any(text) }),
  'listInstances templateVersionId': (repository, text) => repository.listInstances({ templateVersionId: any(text) }),
  'listInstances tier': (repository, text) => repository.listInstances({ tier: any(text) }),
  'listInstances status': (repository, text) => repository.listInstances({ status: [any(text), 'Deleting'] }),
  'listInstances syncStatus': (repository, text) => repository.listInstances({ syncStatus: [any(text)] }),
  'listInstances cursor': (repository, text) => repository.listInstances({}, { cursor: text }),
  'listProducts limit': (repository, text) => repository.listProducts({ limit: any(text) }),
  'listEvents after': (repository, text) => repository.listEvents({ after: text }),
  'pruneEvents before': (repository, text) =>
    repository.transaction((transaction) => transaction.pruneEvents({ before: any(text) })),
  'listEvents instanceId': (repository, text) => repository.listEvents({ instanceId: any(text) }),
  'listEvents types': (repository, text) => repository.listEvents({ types: [any(text)] }),
  'claimWork now': (repository, text) =>
    repository.claimWork({ owner: text, limit: 1, leaseMilliseconds: 1, now: any(text) }),
};

const writers: Readonly<Record<string, (repository: Repository, text: string) => Promise<unknown>>> =
  Object.fromEntries([
    ...Object.keys(sampleProduct(2)).map((field) => [
      `insertProduct ${field}`,
      (repository: Repository, text: string) =>
        repository.transaction((transaction) => transaction.insertProduct({ ...sampleProduct(2), [field]: text })),
    ]),
    ...Object.keys(sampleTemplateVersion(2)).map((field) => [
      `insertTemplateVersion ${field}`,
      (repository: Repository, text: string) =>
        repository.transaction((transaction) =>
          transaction.insertTemplateVersion({ ...sampleTemplateVersion(2), [field]: text }),
        ),
    ]),
    ...Object.keys(sampleInstance(2)).map((field) => [
      `insertInstance ${field}`,
      (repository: Repository, text: string) =>
        repository.transaction((transaction) => transaction.insertInstance({ ...sampleInstance(2), [field]: text })),
    ]),
  ]);

/** What an attack must leave as it is. */
async function stateOf(repository: Repository): Promise<unknown> {
  return [
    (await repository.findProduct(sampleProduct(1).id))?.name,
    await repository.findTemplateVersion(sampleTemplateVersion(1).id),
    await repository.findInstance(sampleInstance(1).id),
    await repository.workBacklog(),
    await repository.listEvents(),
    (await repository.listDrift()).items,
  ];
}

async function withRows(test: (repository: Repository) => Promise<void>): Promise<void> {
  await using repository = await createSqlRepository({ file: ':memory:' });
  await repository.transaction(async (transaction) => {
    await transaction.insertProduct(sampleProduct(1));
    await transaction.insertTemplateVersion(sampleTemplateVersion(1));
    await transaction.insertInstance(sampleInstance(1));
    await transaction.requestWork(sampleInstance(1).id, 'created', sampleInstance(1).createdAt);
  });
  await test(repository);
}

/** An error of ours, or none: never one of the SQL parser, and never one of JavaScript. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => {
    if (!isCaelusError(error)) throw error;
    return error.code;
  });
}

describe('hostile text', () => {
  it.each(Object.keys(readers))('in %s finds nothing and changes nothing', (name) =>
    withRows(async (repository) => {
      const before = await stateOf(repository);
      for (const text of attacks) {
        const found = await outcome(readers[name]?.(repository, text) ?? Promise.reject(new Error(name)));
        expect([undefined, false, 'CURSOR_INVALID', 'INVALID_INPUT'], text).toContainEqual(
          Array.isArray(found) && found.length === 0 ? undefined : emptyPage(found) ? undefined : found,
        );
      }
      expect(await stateOf(repository)).toEqual(before);
    }),
  );

  it.each(Object.keys(writers))('in %s is kept as text or refused, and changes nothing else', (name) =>
    withRows(async (repository) => {
      const before = await stateOf(repository);
      for (const text of attacks) {
        await outcome(writers[name]?.(repository, text) ?? Promise.reject(new Error(name)));
        expect(await stateOf(repository)).toEqual(before);
      }
    }),
  );
});

function emptyPage(found: unknown): boolean {
  return typeof found === 'object' && found !== null && (found as { items?: unknown[] }).items?.length === 0;
}
