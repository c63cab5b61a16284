import { type JsonObject, renderYaml } from '@caelus/core';
import type { BootstrapPlan } from './plan-bootstrap.ts';
import type { PlannedObject } from './planned-object.ts';

const OWNERSHIP: Readonly<Record<PlannedObject['ownership'], string>> = {
  own: 'It belongs to Caelus.',
  shared: 'It belongs to Argo CD; only these fields are set.',
  seed: 'It is made where it is missing, and left alone from then on.',
};

/** A plan for people: YAML documents with the reason above each. The values of secrets are left out. */
export function renderBootstrapPlan({ objects }: BootstrapPlan): string {
  const documents = objects.map(({ manifest, secrets, reason, ownership }) => {
    const data = Object.keys(secrets ?? {}).map((key) => [key, '(secret)']);
    const shown: JsonObject = data.length === 0 ? manifest : { ...manifest, data: Object.fromEntries(data) };
    return `# ${reason}\n# ${OWNERSHIP[ownership]}\n${new TextDecoder().decode(renderYaml(shown))}`;
  });
  return documents.join('---\n');
}
