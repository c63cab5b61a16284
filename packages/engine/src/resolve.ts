import {
  CaelusError,
  type CallOptions,
  parseInstanceId,
  parseProductId,
  parseRepoPath,
  parseTemplateVersionId,
  productFile,
  productRow,
  type RemedyName,
  type RepoPath,
  type Snapshot,
  templateVersionFile,
  templateVersionRow,
} from '@caelus/core';
import { findAnswer } from './answer-once.ts';
import type { ChosenRemedy, Resolution } from './chosen-remedy.ts';
import { type CommandOptions, parseCommandOptions } from './command-options.ts';
import type { EngineContext } from './engine-context.ts';
import { ensureRepository } from './ensure-repository.ts';
import { type Finding, type FindingSubject, nameOf, staleFinding } from './finding.ts';
import { inspectCatalogue, inspectInstance, inspectRepository } from './inspect.ts';
import { resolveCatalogue } from './resolve-catalogue.ts';
import { resolveInstance } from './resolve-instance.ts';
import { sweepAll } from './sweeper.ts';

/**
 * Carries out one remedy. The finding is looked at again first, and refused where the row or Git is not as it was when the choice
 * was made; with an instance's id in place of a finding, it is made upon what is there now.
 * @throws {CaelusError} `FINDING_STALE`, `REMEDY_UNAVAILABLE`, `IDEMPOTENCY_KEY_REUSED`, and the codes of the commands, where what
 *   Git says could not be asked for by one
 */
export async function resolve(
  context: EngineContext,
  target: Finding | string,
  remedy: RemedyName,
  options: CommandOptions = {},
): Promise<Resolution> {
  const { signal } = options;
  const { actor, idempotencyKey: key } = parseCommandOptions(options);
  const subject =
    typeof target === 'string' ? parseSubject({ type: 'instance', id: target }) : parseSubject(target.subject);
  const state = typeof target === 'string' ? null : target.state;
  const request = { scope: 'finding-resolve', key, input: { subject: { ...subject }, remedy, state } };
  const known = await context.repository.transaction((transaction) => findAnswer(context, transaction, request), {
    signal,
  });
  if (known !== undefined) return known as unknown as Resolution;
  const snapshot = await context.store.snapshot({ signal });
  const findings = await findAnew(context, snapshot, subject, { signal });
  const finding = findings.find((found) => state === null || found.state === state);
  if (finding === undefined) throw staleFinding({ kind: typeof target === 'string' ? 'any' : target.kind, subject });
  if (!finding.remedies.some(({ name }) => name === remedy)) throw unavailable(finding, remedy);
  const { kind } = finding;
  const resolution: Resolution = { kind, subject, remedy };
  const chosen: ChosenRemedy = { snapshot, finding, remedy, request, resolution, actor };
  if (subject.type === 'instance') await resolveInstance(context, subject.id, chosen, { signal });
  else if (subject.type === 'repository') await resolveRepository(context, kind, { signal });
  else await resolveCatalogue(context, chosen, { signal });
  context.changed.wake();
  return resolution;
}

async function resolveRepository(context: EngineContext, kind: Finding['kind'], options: CallOptions): Promise<void> {
  if (kind === 'git-rewound') await sweepAll(context, options);
  else await ensureRepository(context, options);
}

/** What is wrong with the subject now. */
async function findAnew(
  context: EngineContext,
  snapshot: Snapshot,
  subject: FindingSubject,
  options: CallOptions,
): Promise<readonly Finding[]> {
  if (subject.type === 'repository') {
    return inspectRepository(context, snapshot, await context.repository.findBranchState(options), options);
  }
  const finding =
    subject.type === 'instance'
      ? await inspectInstance(context, snapshot, subject.id, options)
      : await inspectCatalogue(context, snapshot, await placeOf(context, subject, options), options);
  return finding === undefined ? [] : [finding];
}

async function placeOf(
  { repository }: EngineContext,
  subject: Exclude<FindingSubject, { readonly type: 'instance' | 'repository' }>,
  options: CallOptions,
): Promise<Parameters<typeof inspectCatalogue>[2]> {
  switch (subject.type) {
    case 'product': {
      const product = await repository.findProduct(subject.id, options);
      return { row: product && productRow(product), path: productFile(subject.id) };
    }
    case 'template-version': {
      const templateVersion = await repository.findTemplateVersion(subject.id, options);
      return { row: templateVersion && templateVersionRow(templateVersion), path: templateVersionFile(subject.id) };
    }
    case 'file':
      return { path: subject.path as RepoPath };
  }
}

/** A finding may have been sent to a person and back. */
function parseSubject(subject: FindingSubject | { readonly type: 'instance'; readonly id: string }): FindingSubject {
  switch (subject.type) {
    case 'instance':
      return { type: 'instance', id: parseInstanceId(subject.id) };
    case 'product':
      return { type: 'product', id: parseProductId(subject.id) };
    case 'template-version':
      return { type: 'template-version', id: parseTemplateVersionId(subject.id) };
    case 'file':
      return { type: 'file', path: parseRepoPath(subject.path) };
    default:
      return { type: 'repository' };
  }
}

function unavailable({ kind, subject, remedies }: Finding, remedy: RemedyName): CaelusError {
  const names = remedies.map(({ name }) => name);
  const advice =
    names.length === 0 ? 'It has to be put right in Git, or in the options.' : `Choose ${names.join(' or ')}.`;
  return new CaelusError({
    code: 'REMEDY_UNAVAILABLE',
    message: `The remedy ${remedy} is none for ${nameOf(subject)}. ${advice}`,
    details: { kind, remedy },
  });
}
