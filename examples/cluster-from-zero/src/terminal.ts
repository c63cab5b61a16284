const isColoured = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
let steps = 0;

export function heading(text: string): void {
  steps += 1;
  console.log(`\n${paint(1, `${steps}. ${text}`)}`);
}

export function say(text: string): void {
  console.log(`   ${text}`);
}

/** Indented, as it is: a plan, a diff, what kubectl printed. */
export function show(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(`   ${paint(2, '│')} ${line}`);
}
