import { CaelusError } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { SqlConstraintError } from '../sql-session.ts';
import { asksForRepetition, sqlStateOf, translatePostgresError } from './postgres-errors.ts';

const coded = (code: string, message = 'secret') => Object.assign(new Error(message), { code });

describe('translatePostgresError', () => {
  it.each([
    ['08006', true],
    ['57P01', true],
    ['57P03', true],
    ['57014', true],
    ['53300', true],
    ['53100', true],
    ['55P03', true],
    ['40001', true],
    ['40P01', true],
    ['25006', false],
    ['ECONNREFUSED', true],
    ['ECONNRESET', true],
    ['EPIPE', true],
  ])('makes %s UNAVAILABLE', (code, retryable) => {
    expect(translatePostgresError(coded(code), 'db')).toMatchObject({
      code: 'UNAVAILABLE',
      retryable,
      details: { what: 'db' },
    });
  });

  it.each(['23505', '23503', '23502', '23514', '23001'])('makes %s a refusal by a constraint', (code) => {
    expect(translatePostgresError(coded(code), 'db')).toBeInstanceOf(SqlConstraintError);
  });

  it.each(['42501', '28P01', '3D000', '42P01', '25P02', '54000', 'P0001', '22P02'])(
    'says which state %s is',
    (code) => {
      const error = translatePostgresError(coded(code), 'db') as Error;
      expect(error).toMatchObject({ code: 'SQL_STATEMENT_FAILED', details: { what: 'db', sqlState: code } });
      expect(error.message).toContain(code);
    },
  );

  it('makes damage STORE_CORRUPT', () => {
    expect(translatePostgresError(coded('XX001'), 'db')).toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it.each([
    'Connection terminated unexpectedly',
    'Client has encountered a connection error and is not queryable',
    'timeout exceeded when trying to connect',
    'Cannot use a pool after calling end on the pool',
    'Knex: Timeout acquiring a connection. The pool is probably full.',
  ])('knows a lost connection by its message: %s', (message) => {
    expect(translatePostgresError(new Error(message), 'db')).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });

  it('looks through what query builders wrap around the error of the driver', () => {
    const drizzle = new Error('Failed query: … params: secret', { cause: coded('23505') });
    const typeOrm = Object.assign(new Error('secret'), { driverError: coded('40001') });
    expect(translatePostgresError(drizzle, 'db')).toBeInstanceOf(SqlConstraintError);
    expect(sqlStateOf(typeOrm)).toBe('40001');
    const circular = new Error('secret');
    circular.cause = circular;
    expect(translatePostgresError(circular, 'db')).toMatchObject({ code: 'SQL_STATEMENT_FAILED' });
  });

  it('leaves errors of Caelus and what is no error alone', () => {
    const own = new CaelusError({ code: 'STORE_CORRUPT', message: 'x', details: { what: 'x' } });
    for (const reason of [own, undefined, 'a text']) expect(translatePostgresError(reason, 'db')).toBe(reason);
  });

  it('keeps nothing of what the driver said', () => {
    const driver = Object.assign(coded('23505'), {
      detail: 'Key (a)=(secret) exists',
      where: 'secret',
      constraint: 'a_key',
    });
    for (const error of [translatePostgresError(driver, 'db'), translatePostgresError(coded('42P01'), 'db')]) {
      const { cause, message, stack } = error as Error;
      const { message: inner, stack: trace } = cause as Error;
      expect([message, stack, inner, trace, JSON.stringify(cause), JSON.stringify(error)].join('\n')).not.toContain(
        'secret',
      );
    }
  });
});

describe('asksForRepetition', () => {
  it('is true of serialization failures and deadlocks alone', () => {
    for (const code of ['40001', '40P01']) {
      expect(asksForRepetition(coded(code))).toBe(true);
      expect(asksForRepetition(translatePostgresError(coded(code), 'db'))).toBe(true);
    }
    for (const code of ['40003', '23505', '08006']) expect(asksForRepetition(coded(code))).toBe(false);
    expect(asksForRepetition(undefined)).toBe(false);
  });
});
