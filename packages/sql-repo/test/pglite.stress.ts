import { repositoryContract, sampleProduct } from '@caelus/core/testing';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqlRepository, fromPglite } from '../src/index.ts';

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

let schemas = 0;
const open = () => {
  schemas += 1;
  return createSqlRepository({ executor: fromPglite(db), schema: `pglite_${schemas}` });
};

repositoryContract(
  { describe, it },
  {
    name: 'PGlite',
    capabilities: { multiProcess: false, durable: false },
    create: async () => ({ repository: await open() }),
  },
);

describe('a host’s transaction on PGlite', () => {
  it('commits its row and ours together, or neither', async () => {
    await using repository = await open();
    await db.exec('CREATE TABLE host_row (id text)');
    for (const fails of [true, false]) {
      const whole = db.transaction(async (transaction) => {
        await transaction.query(`INSERT INTO host_row VALUES ('x')`);
        const rows = repository.in(fromPglite(transaction));
        await rows.transaction((inside) => inside.insertProduct(sampleProduct(1)));
        await expect(rows.transaction((inside) => inside.insertProduct(sampleProduct(1)))).rejects.toMatchObject({
          code: 'PRODUCT_EXISTS',
        });
        if (fails) throw new Error('the host failed');
      });
      if (fails) await expect(whole).rejects.toThrow('the host failed');
      else await whole;
      expect((await repository.listProducts()).items).toHaveLength(fails ? 0 : 1);
      expect((await db.query('SELECT id FROM host_row')).rows).toHaveLength(fails ? 0 : 1);
    }
  });

  it('is heard of when it requests work', async () => {
    await using repository = await open();
    let hear = () => {};
    const heard = new Promise<void>((resolve) => {
      hear = resolve;
    });
    await repository.onNews?.(hear);
    await repository.transaction((transaction) =>
      transaction.requestWork('work-1' as never, 'x', '2026-01-01T00:00:00.000Z' as never),
    );
    await heard;
  });
});
