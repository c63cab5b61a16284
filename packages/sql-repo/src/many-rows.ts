/** How many rows one statement writes: a dozen parameters for each stay far below what any database takes. */
const ROWS_AT_ONCE = 500;

/** The items in parts of as many as one statement writes. */
export function* inParts<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += ROWS_AT_ONCE) yield items.slice(start, start + ROWS_AT_ONCE);
}

/** The parameters of many rows, for `VALUES`. Both databases name the columns of a bare `VALUES` `column1`, `column2` and so on. */
export function rowsOfMarks(rows: number, columns: number): string {
  const row = `(${Array.from({ length: columns }, () => '?').join(', ')})`;
  return Array.from({ length: rows }, () => row).join(', ');
}
