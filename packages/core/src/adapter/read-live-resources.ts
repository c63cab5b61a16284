import type { ResourceName } from '../status/application-resources.ts';
import { LIVE_RESOURCES_LIMIT, type LiveObject, type LiveResource } from '../status/diagnose-deletion.ts';

/** A resource as Argo CD lists it: what is empty may be left out. */
type ListedResource = { readonly [Field in keyof ResourceName]?: string | undefined };

/** How many are asked for at once. */
const AT_ONCE = 4;

/** Reads the first `LIVE_RESOURCES_LIMIT` of what is listed. `read` gives `null` for what may not be read, `undefined` for what is gone. */
export async function readLiveResources<Listed extends ListedResource>(
  listed: readonly Listed[],
  read: (resource: Listed) => Promise<LiveObject | null | undefined>,
): Promise<readonly LiveResource[]> {
  const wanted = listed.slice(0, LIVE_RESOURCES_LIMIT);
  const found: LiveResource[] = [];
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    const lot = wanted.slice(start, start + AT_ONCE);
    const objects = await Promise.all(lot.map(read));
    for (const [index, { group = '', kind = '', namespace = '', name = '' }] of lot.entries()) {
      const object = objects[index];
      if (object !== undefined) found.push({ group, kind, namespace: namespace || null, name, object });
    }
  }
  return found;
}
