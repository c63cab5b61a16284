import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { JsonObject } from '../../json-value.ts';
import { repoPath } from '../../layout/repo-path.ts';
import type { SecretBackend, SecretSpec } from '../../ports/secret-backend.ts';
import { renderYaml } from '../../render/render-yaml.ts';

/** A secret backend that keeps values in memory and puts only references into Git, as External Secrets would. */
export interface ReferenceSecretBackend extends SecretBackend {
  /** What it holds: reference → value. */
  readonly vault: ReadonlyMap<string, Uint8Array>;
}

/** Makes a secret backend for tests. */
export function createReferenceSecretBackend(): ReferenceSecretBackend {
  const vault = new Map<string, Uint8Array>();
  return {
    name: 'reference',
    capabilities: { ciphertextInGit: false, bindsNamespace: true, generates: true },
    vault,
    async render(spec, { signal } = {}) {
      signal?.throwIfAborted();
      const data = [...spec.entries].map(([secretKey, entry]): JsonObject => {
        if (entry.kind === 'reference')
          return { secretKey, remoteRef: { key: entry.key, property: entry.property ?? null } };
        const key = referenceOf(spec, secretKey);
        if (entry.kind === 'value') vault.set(key, entry.reveal());
        return { secretKey, remoteRef: { key, property: null } };
      });
      const manifest: JsonObject = {
        apiVersion: 'external-secrets.io/v1',
        kind: 'ExternalSecret',
        metadata: { name: spec.name, namespace: spec.namespace },
        spec: { data, target: { name: spec.name } },
      };
      const file = repoPath(`secret-${spec.name}.yaml`);
      return { files: new Map([[file, renderYaml(manifest)]]), existingSecret: spec.name };
    },
  };
}

/** One place for each key of each instance, whatever characters the key has. */
function referenceOf({ tenant, instanceId, name }: SecretSpec, key: string): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([tenant, instanceId, name, key]))));
}
