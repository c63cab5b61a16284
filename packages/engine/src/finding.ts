import {
  CaelusError,
  type CommitId,
  explainFinding,
  type FindingKind,
  hashJson,
  type InstanceId,
  type JsonObject,
  type ProductId,
  type Remedy,
  type RemedyFacts,
  remediesOf,
  type TemplateVersionId,
} from '@caelus/core';

/** What a finding is about. */
export type FindingSubject =
  | { readonly type: 'instance'; readonly id: InstanceId }
  | { readonly type: 'product'; readonly id: ProductId }
  | { readonly type: 'template-version'; readonly id: TemplateVersionId }
  /** A file of the catalogue that cannot be read. */
  | { readonly type: 'file'; readonly path: string }
  /** The branch as a whole, and what it has beside the instances. */
  | { readonly type: 'repository' };

/** One disagreement between the rows and Git. Plain data: it can be sent to a person who has to choose, and back. */
export interface Finding {
  readonly kind: FindingKind;
  readonly subject: FindingSubject;
  /** What is wrong, for the person who has to choose. */
  readonly message: string;
  /** The commit that was looked at; `null` where the branch has none. */
  readonly commit: CommitId | null;
  /** The generation of the row that was looked at; `null` where there is none. */
  readonly generation: number | null;
  /** Stands for all that was looked at. `resolve` refuses a finding once that has changed. */
  readonly state: string;
  /** What `resolve` can do about it. None: it is for a person to put right in Git, or in the options. */
  readonly remedies: readonly Remedy[];
}

export interface FindingParts extends Pick<Finding, 'kind' | 'subject' | 'commit' | 'generation'> {
  /** What was looked at. */
  readonly seen: JsonObject;
  readonly facts: Omit<RemedyFacts, 'kind'>;
  /** More than the kind says. */
  readonly detail?: string | undefined;
}

/** Makes a finding. */
export function findingOf({ kind, subject, commit, generation, seen, facts, detail }: FindingParts): Finding {
  const message = [explainFinding(kind), ...(detail === undefined ? [] : [detail])].join(' ');
  const state = hashJson({ kind, subject: { ...subject }, ...seen });
  return { kind, subject, message, commit, generation, state, remedies: remediesOf({ kind, ...facts }) };
}

/** The subject in a few words, for messages and errors. */
export function nameOf(subject: FindingSubject): string {
  if (subject.type === 'repository') return 'the repository';
  return subject.type === 'file' ? subject.path : `${subject.type} ${subject.id}`;
}

/** The error for a finding that is no longer there, or is another one by now. */
export function staleFinding({
  kind,
  subject,
}: {
  readonly kind: string;
  readonly subject: FindingSubject;
}): CaelusError {
  const what = nameOf(subject);
  const message = `What was found about ${what} is no longer so: the row or Git has changed, or it is settled. Inspect again, and choose anew.`;
  return new CaelusError({ code: 'FINDING_STALE', message, details: { kind, subject: what } });
}
