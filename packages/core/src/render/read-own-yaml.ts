import { parseDocument } from 'yaml';

/**
 * Reads a file that Caelus wrote and anybody may have changed since: `undefined` where it is larger than `limit` bytes, has
 * anchors, or is no YAML. What it says is for the caller's schema to judge.
 */
export function readOwnYaml(bytes: Uint8Array, limit: number): unknown {
  if (bytes.length > limit) return undefined;
  const document = parseDocument(new TextDecoder().decode(bytes), { logLevel: 'silent', prettyErrors: false });
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}
