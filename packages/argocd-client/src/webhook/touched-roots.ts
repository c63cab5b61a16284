import type { Change } from '@caelus/core';

const APPLICATION_FILE = /(?:^|\/)argo-cd\/applications\/(?:([0-9a-f]{2})\/)?[^/]+\.yaml$/;
const PROJECT_FILE = /(?:^|\/)argo-cd\/projects\/[^/]+\.yaml$/;

/** The root Applications whose files a change touches: they make and remove the Applications of instances. */
export function touchedRoots(edits: Change): readonly string[] {
  const roots = edits.flatMap(({ path }) => {
    const application = APPLICATION_FILE.exec(path);
    if (application !== null) return application[1] === undefined ? ['caelus-root'] : [`caelus-root-${application[1]}`];
    return PROJECT_FILE.test(path) ? ['caelus-root'] : [];
  });
  return [...new Set(roots)];
}
