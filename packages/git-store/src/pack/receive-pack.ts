import { createHash } from 'node:crypto';
import { type Durability, type FileAccess, nonce } from '../file-access.ts';
import { corrupt } from '../git-errors.ts';
import { indexPack } from './index-pack.ts';
import { CHECKSUM_BYTES, PACK_HEADER_BYTES } from './pack-entry.ts';
import { encodePackIndex } from './pack-index.ts';

/** Takes a pack that a remote sends, part by part. Nobody sees it before it is whole. */
export interface PackReceiver {
  write(bytes: Buffer): Promise<void>;
  /** Makes the pack durable and visible. @throws {CaelusError} `STORE_CORRUPT` where it is not whole or not sound */
  finish(): Promise<void>;
  /** Removes what has come so far; after {@link PackReceiver.finish} it does nothing. */
  [Symbol.asyncDispose](): Promise<void>;
}

export async function receivePack(files: FileAccess, directory: string, durability: Durability): Promise<PackReceiver> {
  const temporary = `${directory}/tmp_pack_${nonce()}`;
  const file = await files.openNew(temporary);
  const hash = createHash('sha1');
  let head: Buffer = Buffer.alloc(0);
  /** The last bytes that came may be the checksum, which is not summed. */
  let tail: Buffer = Buffer.alloc(0);
  let isOpen = true;

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await file.close(durability);
  }

  async function publish(): Promise<void> {
    const isPack = head.length === PACK_HEADER_BYTES && head.toString('latin1', 0, 4) === 'PACK';
    if (!isPack || !hash.digest().equals(tail)) throw corrupt('pack', 'A pack from the remote is damaged. Try again.');
    if (head.readUInt32BE(8) === 0) return;
    const view = await files.open(temporary);
    if (view === undefined) throw corrupt('pack', 'A pack from the remote was removed while it came. Try again.');
    const entries = await indexPack(view).finally(() => view.close());
    const name = `${directory}/pack-${tail.toString('hex')}`;
    // An index makes a pack visible, so it comes last. Without it there is only a file for a later start to remove.
    await files.rename(temporary, `${name}.pack`);
    const index = encodePackIndex(entries, tail);
    await files.replaceAll([{ path: `${name}.idx`, parts: [index], prefix: 'tmp_idx_' }], durability);
    if (durability === 'strict') await files.syncDirectories([directory]);
  }

  return {
    async write(bytes) {
      if (head.length < PACK_HEADER_BYTES) head = Buffer.concat([head, bytes]).subarray(0, PACK_HEADER_BYTES);
      const joined = Buffer.concat([tail, bytes]);
      const summed = Math.max(0, joined.length - CHECKSUM_BYTES);
      hash.update(joined.subarray(0, summed));
      tail = Buffer.from(joined.subarray(summed));
      await file.write(bytes);
    },

    async finish() {
      await close();
      await publish().catch((error: unknown) => {
        if (error instanceof Error && 'code' in error) throw error;
        throw corrupt('pack', 'A pack from the remote is damaged. Try again.', error);
      });
    },

    async [Symbol.asyncDispose]() {
      await close();
      await files.remove(temporary);
    },
  };
}
