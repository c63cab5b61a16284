import type { Application, ApplicationEvent } from '@caelus/core';
import { compareVersions } from './resource-version.ts';

/** An Application as Argo CD sends it, with what tells its states apart. */
export type VersionedApplication = Application & {
  readonly metadata: { readonly resourceVersion?: string | undefined };
};

/** What a listing brought. */
export interface ListingOutcome {
  readonly news: readonly ApplicationEvent[];
  /** Known ones that the listing does not have: it may be older than they are, or we may no longer see them. */
  readonly missing: readonly string[];
  /** States that the listing before had, and the stream has not brought until now: it loses events. */
  readonly lost: number;
}

/**
 * What a watcher knows: the newest version of each Application, so that of any mixture of a stream with gaps and of listings from
 * several servers, each as old as it likes, only what is new is told. No I/O, no clock.
 */
export interface KnownApplications {
  /** An event of the stream, or an Application that was read. `undefined` where it is not new. */
  observe(
    type: 'present' | 'deleted',
    application: VersionedApplication,
    from: 'stream' | 'read',
  ): ApplicationEvent | undefined;
  observeListing(applications: readonly VersionedApplication[]): ListingOutcome;
  /** The newest version that is known, of anything. */
  newest(): string;
  /** Argo CD was asked, after `version` had become known, and has none of that name. `undefined` where it came meanwhile. */
  observeAbsence(name: string, version: string): ApplicationEvent | undefined;
}

/** How many deletions are remembered, so that an older listing does not bring back what is gone. */
const MOST_TOMBSTONES = 10_000;

export function createKnownApplications(): KnownApplications {
  const versions = new Map<string, string>();
  const tombstones = new Map<string, string>();
  /** What listings had before the stream. */
  const awaited = new Map<string, string>();
  let newest = '0';

  function isNews(name: string, version: string): boolean {
    const known = versions.get(name) ?? tombstones.get(name);
    return known === undefined || compareVersions(version, known) > 0;
  }

  function keep(application: VersionedApplication): ApplicationEvent | undefined {
    const { name, resourceVersion = '' } = application.metadata;
    if (!isNews(name, resourceVersion)) return undefined;
    versions.set(name, resourceVersion);
    tombstones.delete(name);
    if (compareVersions(resourceVersion, newest) > 0) newest = resourceVersion;
    return { type: 'present', application };
  }

  function bury(name: string, version: string): ApplicationEvent | undefined {
    const buried = tombstones.get(name) ?? '0';
    tombstones.delete(name);
    tombstones.set(name, compareVersions(version, buried) > 0 ? version : buried);
    const [oldest] = tombstones.keys();
    if (tombstones.size > MOST_TOMBSTONES && oldest !== undefined) tombstones.delete(oldest);
    awaited.delete(name);
    return versions.delete(name) ? { type: 'absent', name } : undefined;
  }

  return {
    observe(type, application, from) {
      const { name, resourceVersion = '' } = application.metadata;
      if (from === 'stream' && compareVersions(resourceVersion, awaited.get(name) ?? '0') >= 0) awaited.delete(name);
      if (type === 'present') return keep(application);
      const known = versions.get(name);
      // The end of an earlier one of that name, which has been made again since.
      if (known !== undefined && compareVersions(resourceVersion, known) < 0) return undefined;
      if (compareVersions(resourceVersion, newest) > 0) newest = resourceVersion;
      return bury(name, resourceVersion);
    },

    observeListing(applications) {
      const lost = awaited.size;
      awaited.clear();
      const listed = new Set<string>();
      const news: ApplicationEvent[] = [];
      for (const application of applications) {
        const { name, resourceVersion = '' } = application.metadata;
        listed.add(name);
        const event = keep(application);
        if (event === undefined) continue;
        news.push(event);
        awaited.set(name, resourceVersion);
      }
      const missing = [...versions.keys()].filter((name) => !listed.has(name));
      return { news, missing, lost };
    },

    newest: () => newest,

    observeAbsence(name, version) {
      const known = versions.get(name);
      if (known !== undefined && compareVersions(known, version) > 0) return undefined;
      return bury(name, version);
    },
  };
}
