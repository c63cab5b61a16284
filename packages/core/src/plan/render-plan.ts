import type { Plan, PlannedFile } from './plan-change.ts';

/**
 * Renders a plan for a terminal, without colour. What a terminal would obey or hide (control and bidirectional characters,
 * which somebody may have pushed by hand) is written as an escape.
 */
export function renderPlan(plan: Plan): string {
  if (plan.files.length === 0) return 'Nothing would change.\n';
  const count = (action: PlannedFile['action']) => plan.files.filter((file) => file.action === action).length;
  const summary = `Plan: ${count('add')} to add, ${count('modify')} to modify, ${count('remove')} to remove.\n`;
  return [summary, ...plan.files.map(renderFile)].join('\n').replaceAll(UNSAFE, escapeCharacter);
}

const SIGNS: Readonly<Record<PlannedFile['action'], string>> = { add: '+', modify: '~', remove: '-' };

function renderFile({ path, action, diff, omitted, linesAdded, linesRemoved }: PlannedFile): string {
  const title = `${SIGNS[action]} ${path}`;
  if (diff !== null) return `${title} (+${linesAdded} -${linesRemoved})\n${diff}`;
  return `${title} (${omitted === 'binary' ? 'not text' : 'too large to show'})\n`;
}

const UNSAFE = /[^\P{C}\n\t]|[\u2028\u2029]/gu;

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
