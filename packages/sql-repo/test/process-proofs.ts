import { join } from 'node:path';
import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import { expect } from 'vitest';
import { createSqlRepository } from '../src/index.ts';
import { loadSqliteDriver } from '../src/sqlite/sqlite-driver.ts';
import { startProgram } from './child-process.ts';
import { temporaryDirectory } from './sqlite-files.ts';

// What is proven of several processes on one file: with few rounds in every test run, with many in the stress suite.

/** A database with one instance, which the writers share. */
async function makeDatabase(directory: string): Promise<string> {
  const file = join(directory, 'caelus.db');
  await using repository = await createSqlRepository({ file });
  await repository.transaction(async (transaction) => {
    await transaction.insertProduct(sampleProduct(1));
    await transaction.insertTemplateVersion(sampleTemplateVersion(1));
    await transaction.insertInstance(sampleInstance(1));
  });
  return file;
}

interface Written {
  readonly generation: number;
  readonly counters: Readonly<Record<string, unknown>>;
  /** `<writer> <number>` of every event, in order. */
  readonly events: readonly string[];
}

async function readDatabase(file: string): Promise<Written> {
  await using repository = await createSqlRepository({ file });
  const events: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await repository.listEvents({ limit: 500, after });
    const last = page.at(-1);
    if (last === undefined) break;
    events.push(...page.map(({ data }) => `${data.writer} ${data.number}`));
    after = last.cursor;
  }
  const instance = await repository.findInstance(sampleInstance(1).id);
  return { generation: instance?.generation ?? 0, counters: instance?.userValues ?? {}, events };
}

async function checkIntegrity(file: string): Promise<void> {
  const connection = (await loadSqliteDriver()).open(file);
  try {
    expect(connection.query('PRAGMA integrity_check').rows).toEqual([{ integrity_check: 'ok' }]);
    expect(connection.query('PRAGMA foreign_key_check').rows).toEqual([]);
  } finally {
    connection.close();
  }
}

/** Two processes write `count` transactions each. */
export async function proveSharedFile(count: number): Promise<void> {
  await using directory = await temporaryDirectory();
  const file = await makeDatabase(directory.path);
  const children = ['a', 'b'].map((writer) => startProgram('./writer-program.ts', file, writer, String(count)));
  expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0]);

  const { generation, counters, events } = await readDatabase(file);
  expect(generation).toBe(1 + 2 * count);
  expect(counters).toEqual({ a: String(count), b: String(count) });
  for (const writer of ['a', 'b']) {
    const own = events.filter((event) => event.startsWith(writer));
    expect(own).toEqual(Array.from({ length: count }, (_, index) => `${writer} ${index + 1}`));
  }
  const claimed = children.flatMap(({ lines }) => lines.filter((line) => line.startsWith('claimed')));
  expect(claimed.length).toBeGreaterThan(count);
  expect(new Set(claimed).size).toBe(claimed.length);
  await checkIntegrity(file);
}

/** In each round two processes write until they are killed; then two others go on. */
export async function proveKills(rounds: number): Promise<void> {
  await using directory = await temporaryDirectory();
  const file = await makeDatabase(directory.path);
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const children = ['a', 'b'].map((writer) =>
      startProgram('./writer-program.ts', file, `${writer}${round}`, '1000000'),
    );
    // Each is killed at another place: after some transaction, in the middle of one of the next.
    await Promise.all(
      children.map(async (child, index) => {
        await child.printed(1 + ((7 * round + 3 * index) % 11));
        child.kill();
      }),
    );
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(['SIGKILL', 'SIGKILL']);
    const lines = children.flatMap((child) => child.lines);
    acknowledged.push(...lines.filter((line) => !line.startsWith('claimed')));
  }

  const { generation, counters, events } = await readDatabase(file);
  const kept = new Set(events);
  expect(acknowledged.filter((line) => !kept.has(line))).toEqual([]);
  // Each transaction wrote a generation, a counter and an event: all three or none.
  expect(generation).toBe(1 + events.length);
  expect(Object.values(counters).reduce<number>((sum, counter) => sum + Number(counter), 0)).toBe(events.length);
  // At most the one transaction of each process that was under way when it died.
  expect(events.length - acknowledged.length).toBeLessThanOrEqual(2 * rounds);
  await checkIntegrity(file);
}
