import type { Actor, RemedyName, Snapshot } from '@caelus/core';
import type { OnceRequest } from './answer-once.ts';
import type { Finding, FindingSubject } from './finding.ts';

/** A finding, and what was done about it. Git and the cluster follow the row. */
export interface Resolution {
  readonly kind: Finding['kind'];
  readonly subject: FindingSubject;
  readonly remedy: RemedyName;
}

/** What is to be done, and upon what. */
export interface ChosenRemedy {
  readonly snapshot: Snapshot;
  readonly finding: Finding;
  readonly remedy: RemedyName;
  readonly request: OnceRequest;
  readonly resolution: Resolution;
  readonly actor: Actor | null;
}
