import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { describe, expect, it } from 'vitest';

const header =
  '// Generated from openapi/argo-cd.yaml: `npx vitest run packages/argocd-client/test/generated-types.test.ts -u`.\n\n';

describe('src/generated/argo-cd-api.ts', () => {
  it('is what the document says', async () => {
    const nodes = await openapiTS(new URL('../openapi/argo-cd.yaml', import.meta.url), {
      silent: true,
    });
    const path = fileURLToPath(new URL('../src/generated/argo-cd-api.ts', import.meta.url));
    // TypeDoc does not know the tag, and does not need it.
    const types = astToString(nodes).replaceAll('@description ', '');
    await expect(header + types).toMatchFileSnapshot(path);
  });
});
