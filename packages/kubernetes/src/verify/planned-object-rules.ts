import { additionalFields, missingFields } from '../bootstrap/object-difference.ts';
import { STORE_ANNOTATION } from '../bootstrap/planned-object.ts';
import { nameOf } from '../client/kubernetes-client.ts';
import { describeObject, resourceOf } from '../client/resource.ts';
import type { Finding } from './finding.ts';
import type { Installation } from './installation.ts';

/** What bootstrap would bring about, and is not there. */
export function plannedObjectFindings({ planned: objects, plan }: Installation): readonly Finding[] {
  return objects.flatMap(({ planned, live }): readonly Finding[] => {
    const { manifest, secrets, ownership, reason } = planned;
    const where = describeObject(resourceOf(manifest), nameOf(manifest));
    const run = 'Run bootstrap.';
    if (live === undefined) {
      return [{ rule: 'object-missing', severity: 'error', where, what: `It is not there. ${reason}`, remedy: run }];
    }
    const { object, secretKeys } = live;
    const store = object.metadata.annotations?.[STORE_ANNOTATION];
    if (ownership !== 'shared' && store !== undefined && store !== plan.storeId) {
      const what = 'It belongs to another Caelus database.';
      return [
        { rule: 'object-foreign', severity: 'error', where, what, remedy: 'Give each database an Argo CD of its own.' },
      ];
    }
    const found: Finding[] = [];
    if (object.metadata.deletionTimestamp !== undefined) {
      const what = 'It is being deleted.';
      const remedy = 'Find out who deletes it, and what its finalizers wait for; then run bootstrap.';
      found.push({ rule: 'object-being-deleted', severity: 'error', where, what, remedy });
    }
    const keys = Object.keys(secrets ?? {}).filter((key) => !secretKeys?.includes(key));
    const { metadata, apiVersion: _, kind: __, ...content } = manifest;
    const { spec = {} } = manifest;
    const fields =
      ownership === 'seed'
        ? missingFields({ spec }, { spec: object.spec ?? {} })
        : [
            ...missingFields({ metadata, ...content }, object),
            ...keys.map((key) => `.data.${key}`),
            // In what Caelus alone says, a field more may be a right more.
            ...(ownership === 'own' ? additionalFields({ spec }, { spec: object.spec ?? {} }) : []),
          ];
    if (fields.length > 0) {
      const what = `It is not as planned in ${fields.slice(0, 10).join(', ')}.`;
      found.push(
        ownership === 'seed'
          ? { rule: 'object-differs', severity: 'info', where, what, remedy: 'Compare it with what Git says.' }
          : { rule: 'object-differs', severity: 'warning', where, what, remedy: run },
      );
    }
    return found;
  });
}
