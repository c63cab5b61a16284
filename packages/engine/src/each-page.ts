import { PAGE_LIMITS, type Page, type PageRequest } from '@caelus/core';

/** Every item of a listing, page by page. */
export async function* eachPage<T>(list: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await list({ limit: PAGE_LIMITS.most, cursor });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** The items in lots of as many as one call of a repository takes, so that memory does not grow with what there is. */
export async function* inLots<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let lot: T[] = [];
  for await (const item of items) {
    lot.push(item);
    if (lot.length < PAGE_LIMITS.most) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}
