import type { CallOptions, InstanceId } from '@caelus/core';
import type { EngineContext } from './engine-context.ts';
import { type ProjectReport, projectBatch } from './projector.ts';

/**
 * Projects all that is due, batch by batch. A deletion that waits for Argo CD is due again and again, and may be so before a batch is
 * through: it is looked at twice at most.
 */
export async function* projectDue(
  context: EngineContext,
  owner: string,
  options: CallOptions,
): AsyncGenerator<ProjectReport> {
  const seen = new Set<InstanceId>();
  for (;;) {
    const report = await projectBatch(context, owner, options);
    if (report.claimed > 0) yield report;
    const again = report.waiting.filter((id) => seen.has(id));
    if (report.claimed === again.length) return;
    for (const id of report.waiting) seen.add(id);
  }
}
