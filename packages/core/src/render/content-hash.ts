import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, type JsonValue } from '../json-value.ts';
import type { RepoTree } from '../layout/repo-tree.ts';

/** SHA-256 of a value's canonical JSON, in hexadecimal. */
export function hashJson(value: JsonValue): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value))));
}

/** SHA-256 over the paths and bytes of `files` and over `facts`, in hexadecimal: equal content, equal hash. */
export function contentHash(files: RepoTree, facts: JsonValue): string {
  const digests = [...files].map(([path, bytes]) => [path, bytesToHex(sha256(bytes))] as const);
  return hashJson([digests.sort(([a], [b]) => (a < b ? -1 : 1)), facts]);
}
