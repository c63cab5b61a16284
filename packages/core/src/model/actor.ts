import * as z from 'zod';
import { issue, parseInput } from '../schema/parse-input.ts';

/** Who asked for a change: it becomes the author of the commit and stands in the audit events. */
export interface Actor {
  /** 1 to 100 characters, without control characters, `<` or `>`. */
  readonly name: string;
  /** An e-mail address for the commit's author line. Default `<caelus@localhost>`. */
  readonly email?: string | undefined;
}

// Git's author line ends the name at `<`; control and bidirectional characters would forge lines or hide text.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>]/u;

export const actorSchema: z.ZodType<Actor> = z.strictObject({
  name: z
    .string()
    .refine(
      (name) => name.trim() !== '' && name.length <= 100 && !unsafe.test(name),
      issue('NAME_INVALID', 'Use 1 to 100 characters, without control characters, < or >.'),
    ),
  email: z
    .string()
    .refine(
      (email) => email.length <= 254 && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$/.test(email),
      issue('NAME_INVALID', 'Use a plain e-mail address of at most 254 characters.'),
    )
    .optional(),
});

/** Parses an actor. @throws {CaelusError} `NAME_INVALID`, `INVALID_INPUT` */
export function parseActor(input: unknown): Actor {
  return parseInput(actorSchema, input, 'The actor');
}
