import { CaelusError, type CallOptions } from '@caelus/core';
import { isExpired } from '../client/api-status.ts';
import type { KubernetesClient, ListPage } from '../client/kubernetes-client.ts';
import { RESOURCES } from '../client/resource.ts';
import { MANAGED_SELECTOR } from './managed-applications.ts';

/** Where the Applications are. */
export interface ApplicationPlace {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly pageSize: number;
}

/** The server forgot the moment that a listing shows, before its last page was read. */
export class ListingExpiredError extends Error {
  override readonly name: string = 'ListingExpiredError';
}

/**
 * The pages of one listing, all of one moment.
 * @throws {ListingExpiredError} where the pages after those that were read are gone
 */
export async function* listPages(
  { client, namespace, pageSize }: ApplicationPlace,
  options: CallOptions,
): AsyncGenerator<ListPage> {
  let next: string | undefined;
  do {
    const request = { namespace, labelSelector: MANAGED_SELECTOR, limit: pageSize, continue: next };
    const found = await client.list(RESOURCES.Application, request, options);
    if (!found.ok) {
      if (next !== undefined && isExpired(found.status)) throw new ListingExpiredError();
      throw client.failure(`list Applications in ${namespace}`, found.status);
    }
    yield found.value;
    next = found.value.continue;
  } while (next !== undefined);
}

/** Whether a version is one that the server has not come to. */
export async function isAhead(place: ApplicationPlace, version: string, options: CallOptions): Promise<boolean> {
  for await (const { resourceVersion } of listPages({ ...place, pageSize: 1 }, options)) {
    // Kubernetes compares them as numbers, too.
    const areNumbers = /^\d+$/.test(version) && /^\d+$/.test(resourceVersion);
    return !areNumbers || BigInt(version) > BigInt(resourceVersion);
  }
  return false;
}

/** How often a listing that takes longer than the server remembers is begun anew. */
const LISTINGS = 5;

/** The error of a listing that was begun anew too often. */
export function neverListed({ client }: ApplicationPlace): CaelusError<'UNAVAILABLE'> {
  return new CaelusError({
    code: 'UNAVAILABLE',
    message: `The Kubernetes API server ${client.name} forgot its listing ${LISTINGS} times before it was read. Read it faster.`,
    details: { what: client.name },
    retryable: true,
  });
}

/** Lists with each of `listOnce`'s attempts until one is not overtaken by the server's forgetting. */
export async function* listAnew<T>(place: ApplicationPlace, listOnce: () => AsyncIterable<T>): AsyncGenerator<T> {
  for (let listing = 1; ; listing += 1) {
    try {
      yield* listOnce();
      return;
    } catch (error) {
      if (!(error instanceof ListingExpiredError)) throw error;
      if (listing === LISTINGS) throw neverListed(place);
    }
  }
}
