import { describe, expect, it } from 'vitest';
import { parseChangeId, parseInstanceId } from '../model/identifier.ts';
import { CHANGE_TRAILER, changeTrailer, parseChangeTrailer } from './change-trailer.ts';

const CHANGE = '0198c0de-aaaa-7bbb-8ccc-ddddeeeeffff';
const reference = { instanceId: parseInstanceId('shop-1'), generation: 7, changeId: parseChangeId(CHANGE) };

describe('a change trailer', () => {
  it('is read as it was written', () => {
    expect(changeTrailer(reference)).toEqual({ key: CHANGE_TRAILER, value: `shop-1 7 ${CHANGE}` });
    expect(parseChangeTrailer(changeTrailer(reference))).toEqual(reference);
    const last = { ...reference, generation: Number.MAX_SAFE_INTEGER };
    expect(parseChangeTrailer(changeTrailer(last))).toEqual(last);
  });

  it.each([
    '',
    'shop-1',
    `shop-1 7`,
    `shop-1 0 ${CHANGE}`,
    `shop-1 07 ${CHANGE}`,
    `shop-1 -1 ${CHANGE}`,
    `shop-1 1.5 ${CHANGE}`,
    `shop-1 9007199254740992 ${CHANGE}`,
    `shop-1  7 ${CHANGE}`,
    `shop-1 7 ${CHANGE} x`,
    `shop-1 7 ${CHANGE.toUpperCase()}`,
    `Shop-1 7 ${CHANGE}`,
    `../x 7 ${CHANGE}`,
  ])('is not %j', (value) => {
    expect(parseChangeTrailer({ key: CHANGE_TRAILER, value })).toBeUndefined();
  });

  it('has one name', () => {
    expect(parseChangeTrailer({ ...changeTrailer(reference), key: 'Caelus-Changes' })).toBeUndefined();
  });
});
