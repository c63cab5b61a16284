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
