const READABLE_LENGTH = 300;

/** Makes text of a server fit to show: one line, not long, without anything that looks like a credential or is in `secrets`. */
export function readableText(text: string, secrets: Iterable<string> = []): string {
  let clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  clean = clean
    .replaceAll(/\/\/[^\s/@]*@/g, '//***@')
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '***')
    .replaceAll(/\b(bearer|basic) +[^\s"',;]+/gi, '$1 ***');
  return clean.length <= READABLE_LENGTH ? clean : `${clean.slice(0, READABLE_LENGTH - 1)}…`;
}
