import { createHash } from 'node:crypto';

export type LayoutName = 'flat' | 'sharded';

/** The new content of one instance's files, by path. */
export type Files = readonly (readonly [path: string, text: string])[];

const VALUES_BYTES = 2055;
const APPLICATION_BYTES = 1404;

/**
 * The two files of an instance, of the sizes that rendered ones have. Another `revision` changes one line of each, as a
 * user's change does.
 */
export function filesOf(layout: LayoutName, index: number, revision: string): Files {
  const id = idOf(index);
  const shard = layout === 'sharded' ? `${id.slice(-2)}/` : '';
  return [
    [`instances/${shard}${id}/values.yaml`, textOf(`values ${id}`, revision, VALUES_BYTES)],
    [`argo-cd/applications/${shard}${id}.yaml`, textOf(`application ${id}`, revision, APPLICATION_BYTES)],
  ];
}

/** A UUID of version 4 that is the same in each process. */
function idOf(index: number): string {
  const hex = createHash('sha1').update(String(index)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function textOf(title: string, revision: string, bytes: number): string {
  const hex = createHash('sha512').update(title).digest('hex');
  let text = `# ${title}\nrevision: ${createHash('sha1').update(`${title} ${revision}`).digest('hex')}\n`;
  for (let line = 0; text.length < bytes; line += 1) {
    const at = (line * 3) % 112;
    text += `setting${line}:\n  name: value-${hex.slice(at, at + 12)}\n  enabled: true\n`;
  }
  return text.slice(0, bytes);
}
