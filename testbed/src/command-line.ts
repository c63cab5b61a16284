import { parseArgs } from 'node:util';
import { ARGOCD_VERSIONS, type ArgocdMinor, isArgocdMinor } from './versions.ts';

/** What `npm run testbed -- …` was asked to do. */
export type Command =
  | { readonly verb: 'start'; readonly name: string; readonly argocd?: ArgocdMinor; readonly polling?: number }
  | { readonly verb: 'build'; readonly argocd?: ArgocdMinor }
  | { readonly verb: 'stop'; readonly name: string; readonly purge: boolean }
  | { readonly verb: 'status'; readonly name: string }
  | { readonly verb: 'logs' | 'restart' | 'repository'; readonly name: string; readonly subject: string }
  | { readonly verb: 'help' };

/** Shown by `--help`, and after a mistake. */
export const USAGE: string = `npm run testbed -- [start] [--argocd ${Object.keys(ARGOCD_VERSIONS).join('|')}] [--polling <seconds>]
npm run testbed -- build [--argocd …]    builds what start would, and starts nothing
npm run testbed -- stop [--purge]
npm run testbed -- status
npm run testbed -- logs <component>
npm run testbed -- restart <component>
npm run testbed -- repository <name>     makes an empty repository on the Git server

--name <name> chooses another testbed than "default"; any number of them run side by side.`;

const SUBJECTS: Readonly<Record<string, string>> = {
  logs: 'a component',
  restart: 'a component',
  repository: 'a name',
};

/**
 * Reads the words after the program's name.
 *
 * @throws Error that says which word is wrong.
 */
export function parseCommandLine(words: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'default' },
      argocd: { type: 'string' },
      polling: { type: 'string' },
      purge: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { verb: 'help' };
  const { name, purge } = values;
  const [verb = 'start', subject, ...rest] = positionals;
  const needed = SUBJECTS[verb];
  if (rest.length > 0 || (needed === undefined && subject !== undefined)) {
    throw new Error(`"${rest[0] ?? subject}" is one word too many.`);
  }
  if (verb !== 'start' && values.polling !== undefined) throw new Error('--polling belongs to start.');
  if (verb !== 'start' && verb !== 'build' && values.argocd !== undefined) {
    throw new Error('--argocd belongs to start and build.');
  }
  if (verb !== 'stop' && purge) throw new Error('--purge belongs to stop.');
  if (verb === 'start') return { verb, name, ...parseArgocd(values.argocd), ...parsePolling(values.polling) };
  if (verb === 'build') return { verb, ...parseArgocd(values.argocd) };
  if (verb === 'stop') return { verb, name, purge };
  if (verb === 'status') return { verb, name };
  if (verb === 'logs' || verb === 'restart' || verb === 'repository') {
    if (subject === undefined) throw new Error(`Say ${needed} after ${verb}.`);
    return { verb, name, subject };
  }
  throw new Error(`"${verb}" is no command.`);
}

function parseArgocd(text: string | undefined): { readonly argocd?: ArgocdMinor } {
  if (text === undefined) return {};
  if (!isArgocdMinor(text)) throw new Error(`--argocd takes ${Object.keys(ARGOCD_VERSIONS).join(' or ')}.`);
  return { argocd: text };
}

function parsePolling(text: string | undefined): { readonly polling?: number } {
  if (text === undefined) return {};
  const polling = Number(text);
  if (!Number.isInteger(polling) || polling < 1 || polling > 86_400) {
    throw new Error('--polling takes whole seconds from 1 to 86400.');
  }
  return { polling };
}
