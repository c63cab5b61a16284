/** What the demo prints. Colour only on a terminal that shows it; with `--json` nothing but the result. */
export interface Terminal {
  heading(text: string): void;
  say(text: string): void;
  /** Indented, as it is: a diff, a file. */
  show(text: string): void;
  table(rows: readonly Readonly<Record<string, string>>[]): void;
}

const silent: Terminal = { heading() {}, say() {}, show() {}, table() {} };

export function createTerminal(options: { readonly json: boolean }): Terminal {
  if (options.json) return silent;
  const coloured = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  const paint = (code: number, text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const dim = (text: string) => paint(2, text);
  const print = (text: string) => process.stdout.write(`${text}\n`);

  function paintLine(line: string): string {
    if (line.startsWith('+')) return paint(32, line);
    if (line.startsWith('-')) return paint(31, line);
    return line.startsWith('@@') ? dim(line) : line;
  }

  let step = 0;
  return {
    heading: (text) => print(`\n${paint(1, `${++step}. ${text}`)}`),
    say: (text) => print(`   ${text}`),
    show: (text) =>
      print(
        text
          .trimEnd()
          .split('\n')
          .map((line) => `   ${dim('│')} ${paintLine(line)}`)
          .join('\n'),
      ),
    table(rows) {
      const columns = Object.keys(rows[0] ?? {});
      const width = (column: string) => Math.max(column.length, ...rows.map((row) => row[column]?.length ?? 0));
      const line = (cell: (column: string) => string) =>
        columns
          .map((column) => cell(column).padEnd(width(column)))
          .join('  ')
          .trimEnd();
      print(`   ${dim(line((column) => column))}`);
      for (const row of rows) {
        print(
          `   ${line((column) => row[column] ?? '').replace(/\b(Running|Synced|Healthy)\b/g, (word) => paint(32, word))}`,
        );
      }
    },
  };
}
