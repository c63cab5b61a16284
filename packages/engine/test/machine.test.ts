import { clockContract, idSourceContract } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { systemClock, uuidSource } from '../src/index.ts';

clockContract({ describe, it }, { name: 'system', create: () => ({ clock: systemClock, advance() {} }) });
idSourceContract({ describe, it }, { name: 'UUID version 7', create: () => uuidSource });

describe('uuidSource', () => {
  it('makes ids in the order of their making', () => {
    const made = Array.from({ length: 1000 }, () => uuidSource.uuid());
    expect(made.toSorted()).toEqual(made);
  });
});
