import {
  type Actor,
  type CaelusError,
  isCaelusError,
  type ProposedChange,
  parseRepoPath,
  type Receipt,
  type Snapshot,
  type StateStore,
  type Trailer,
} from '@caelus/core';

/** A change that sets files to a text, or removes them. */
export function put(
  contents: Readonly<Record<string, string | null>>,
  parts: { readonly summary?: string; readonly trailers?: readonly Trailer[]; readonly actor?: Actor } = {},
): ProposedChange {
  const edits = Object.entries(contents).map(([path, text]) => ({
    path: parseRepoPath(path),
    bytes: text === null ? null : Buffer.from(text),
  }));
  return {
    subject: 'test',
    propose: async () => ({
      edits,
      summary: parts.summary ?? 'change',
      trailers: parts.trailers ?? [],
      actor: parts.actor ?? null,
    }),
  };
}

/** Writes one change, and returns its receipt. */
export async function write(store: StateStore, contents: Readonly<Record<string, string | null>>): Promise<Receipt> {
  const [receipt] = await store.write([put(contents)]);
  if (receipt === undefined) throw new Error('no receipt');
  if (receipt.outcome === 'failed') throw receipt.error;
  return receipt;
}

export async function readText(snapshot: Snapshot, path: string): Promise<string | undefined> {
  const bytes = await snapshot.readFile(parseRepoPath(path));
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The error that a call ends with, which has to be one of ours. */
export async function failure(promise: Promise<unknown>): Promise<CaelusError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isCaelusError(error)) throw new Error('expected a CaelusError', { cause: error });
  return error;
}
