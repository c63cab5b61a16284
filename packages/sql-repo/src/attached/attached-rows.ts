import {
  type CallOptions,
  type InstanceId,
  isCaelusError,
  type Repository,
  type RepositoryReader,
  type RepositoryTransaction,
  type Timestamp,
} from '@caelus/core';
import type { SqlDatabase, SqlSession } from '../sql-session.ts';
import { findInstance } from '../tables/instances.ts';
import { type HostBinding, readHostRow, rowMissing } from './host-binding.ts';
import {
  attendHost,
  createHostRows,
  type HostRows,
  type JoinedHostRows,
  joinedHostRows,
  refreshHost,
} from './host-rows.ts';
import { findRow } from './row-records.ts';
import { takeUpDeployment, tryTakeUpTemplateVersion } from './take-up.ts';
import {
  insertDeploymentRow,
  insertProductRow,
  insertTemplateVersionRow,
  mirror,
  writeDeprecated,
  writeDesired,
} from './write-host-row.ts';

/**
 * What is different where the rows are a host's. Caelus's own tables hold what was taken up of the host's rows, so everything is read
 * there, in the same way and as fast. A row is taken up before it is read or changed, and what Caelus changes is written to both.
 */
export interface AttachedRows {
  reader(database: SqlDatabase, rows: RepositoryReader): RepositoryReader;
  transaction(session: SqlSession, rows: RepositoryTransaction): RepositoryTransaction;
  /** Runs before work is claimed. */
  beforeClaim(database: SqlDatabase, now: Timestamp, options?: CallOptions): Promise<void>;
  refresh(database: SqlDatabase): NonNullable<Repository['refresh']>;
  host(database: SqlDatabase): HostRows;
  joinedHost(database: SqlDatabase): JoinedHostRows;
}

export function attachedRows(binding: HostBinding): AttachedRows {
  const { mapping } = binding;

  /** Once more with the types looked up anew, where a statement fails: the host may have changed them since. */
  async function withTypes<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (!isCaelusError(error, 'SQL_STATEMENT_FAILED')) throw error;
      binding.forgetTypes();
      return body();
    }
  }

  async function takeUpInstance(database: SqlDatabase, id: InstanceId, options?: CallOptions): Promise<void> {
    const record = await findRow(database, 'deployment', 'id', id, options);
    const row = await withTypes(() => readHostRow(binding, database, 'deployment', record?.hostId ?? id));
    const isKnown = record?.problem === null && record.fingerprint === row?.fingerprint;
    const isAbsent = row === undefined && (record === undefined || (record.problem !== null && !record.isGone));
    if (isKnown || isAbsent) return;
    await outside(() => database.transaction((session) => takeUpDeployment(binding, session, id), options));
  }

  async function takeUpVersion(database: SqlDatabase, id: string, options?: CallOptions): Promise<void> {
    const record = await findRow(database, 'template-version', 'id', id, options);
    if (record !== undefined && record.fingerprint !== null && record.problem === null) return;
    await outside(() =>
      database.transaction((session) => tryTakeUpTemplateVersion(binding, session, record?.hostId ?? id), options),
    );
  }

  /** A reader that is used inside the body of a transaction reads what is there. */
  async function outside(body: () => Promise<void>): Promise<void> {
    await body().catch((error: unknown) => {
      if (!isCaelusError(error, 'SQL_TRANSACTION_NESTED')) throw error;
    });
  }

  const assertInserts = (table: string, id: string) => {
    if (!mapping.inserts) throw rowMissing(table, id);
  };

  return {
    reader: (database, rows) => ({
      ...rows,
      async findInstance(id, options) {
        await takeUpInstance(database, id, options);
        return rows.findInstance(id, options);
      },
      async findTemplateVersion(id, options) {
        const found = await rows.findTemplateVersion(id, options);
        if (found !== undefined) return found;
        await takeUpVersion(database, id, options);
        return rows.findTemplateVersion(id, options);
      },
    }),
    transaction: (session, rows) => ({
      ...rows,
      async findTemplateVersion(id) {
        const found = await rows.findTemplateVersion(id);
        if (found !== undefined) return found;
        const record = await findRow(session, 'template-version', 'id', id);
        await tryTakeUpTemplateVersion(binding, session, record?.hostId ?? id);
        return rows.findTemplateVersion(id);
      },
      async insertProduct(product) {
        assertInserts(mapping.tables.product.name, product.id);
        await rows.insertProduct(product);
        await insertProductRow(binding, session, product);
      },
      async insertTemplateVersion(templateVersion) {
        assertInserts(mapping.tables['template-version'].name, templateVersion.id);
        await rows.insertTemplateVersion(templateVersion);
        await insertTemplateVersionRow(binding, session, templateVersion);
      },
      async deprecateTemplateVersion(id, at) {
        await rows.deprecateTemplateVersion(id, at);
        await writeDeprecated(binding, session, id, at);
      },
      async insertInstance(instance) {
        assertInserts(mapping.tables.deployment.name, instance.id);
        await rows.insertInstance(instance);
        await insertDeploymentRow(binding, session, instance);
      },
      async updateDesired(id, expectedGeneration, update) {
        // What the host has changed meanwhile comes first, and makes the expectation stale.
        await takeUpDeployment(binding, session, id);
        const before = await findInstance(session, id);
        await rows.updateDesired(id, expectedGeneration, update);
        const after = await findInstance(session, id);
        if (before === undefined || after === undefined) return;
        await writeDesired(binding, session, before, after);
        await mirror(binding, session, id);
      },
      async updateObserved(id, observed, at) {
        await rows.updateObserved(id, observed, at);
        await mirror(binding, session, id);
      },
      async updateObservedMany(updates, at) {
        const written = await rows.updateObservedMany(updates, at);
        for (const id of written) await mirror(binding, session, id);
        return written;
      },
    }),
    beforeClaim: (database, now, options) => withTypes(() => attendHost(binding, database, now, options)),
    refresh: (database) => (options) => withTypes(() => refreshHost(binding, database, options)),
    host: (database) => createHostRows(binding, database),
    joinedHost: (database) => joinedHostRows(binding, database),
  };
}
