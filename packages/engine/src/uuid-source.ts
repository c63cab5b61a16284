import type { IdSource } from '@caelus/core';
import { v7 } from 'uuid';

/** UUIDs of version 7 (RFC 9562): unguessable in their last 62 bits, and in the order of their making. */
export const uuidSource: IdSource = { uuid: () => v7() };
