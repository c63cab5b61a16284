import { CaelusError } from '@caelus/core';
import { createObject, type GitObject } from './git-object.ts';

/**
 * Signs what Git signs: the bytes of a commit or tag object without its signature. Returns the armored signature, of SSH
 * (`ssh-keygen -Y sign -n git`), OpenPGP (`gpg --detach-sign --armor`) or X.509.
 */
export type GitSigner = (payload: Uint8Array) => Promise<string>;

/** Longer than any signature, and short enough to read with every commit. */
const SIGNATURE_BYTES = 64 * 1024;
const ARMOR =
  /^-----BEGIN (SSH SIGNATURE|PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE)-----\n[\n\x20-\x7e]*\n-----END \1-----$/;

/**
 * The same commit with its signature in a `gpgsig` header, the last one, as Git writes it: the lines after the first one
 * begin with a space.
 * @throws {CaelusError} `GIT_SIGNING_FAILED`
 */
export async function signCommit(commit: GitObject, sign: GitSigner): Promise<GitObject> {
  const content = Buffer.from(commit.content);
  const end = content.indexOf('\n\n') + 1;
  const header = `gpgsig ${(await signatureOf(content, sign)).replaceAll('\n', '\n ')}\n`;
  return createObject('commit', Buffer.concat([content.subarray(0, end), Buffer.from(header), content.subarray(end)]));
}

/** The same tag with its signature below the message, where Git looks for it. @throws {CaelusError} `GIT_SIGNING_FAILED` */
export async function signTag(tag: GitObject, sign: GitSigner): Promise<GitObject> {
  const signature = await signatureOf(Buffer.from(tag.content), sign);
  return createObject('tag', Buffer.concat([tag.content, Buffer.from(`${signature}\n`)]));
}

async function signatureOf(payload: Buffer, sign: GitSigner): Promise<string> {
  let given: unknown;
  try {
    // A copy: what is signed must be what is written.
    given = await sign(new Uint8Array(payload));
  } catch {
    // Without its cause, which may quote a passphrase or a key.
    throw signingFailed('the signer failed.', true);
  }
  const signature = typeof given === 'string' ? given.replaceAll('\r\n', '\n').trim() : '';
  if (signature.length <= SIGNATURE_BYTES && ARMOR.test(signature)) return signature;
  throw signingFailed('the signer did not return one armored SSH, OpenPGP or X.509 signature.', false);
}

function signingFailed(reason: string, retryable: boolean): CaelusError<'GIT_SIGNING_FAILED'> {
  return new CaelusError({
    code: 'GIT_SIGNING_FAILED',
    message: `Nothing was written, because ${reason} Check the option sign.`,
    details: { reason },
    retryable,
  });
}
