import { IDENTITY } from './git-command.ts';
import type { Files } from './workload.ts';

/** The head of a commit in the stream of `git fast-import`; what it changes follows. */
export function commitCommand(message: string, from?: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const base = from === undefined ? '' : `from ${from}\n`;
  return `commit refs/heads/main\ncommitter ${IDENTITY.name} <${IDENTITY.email}> ${seconds} +0000\ndata ${message.length}\n${message}\n${base}`;
}

export function fileCommands(files: Files): string {
  return files.map(([path, text]) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`).join('');
}
