// Starts and stops a Kubernetes control plane and an Argo CD on this machine. See README.md.
import { type Command, parseCommandLine, USAGE } from './command-line.ts';
import { createRepository } from './git-repository.ts';
import { buildPrograms } from './programs.ts';
import { componentLog, restartComponent, startTestbed, stopTestbed, type Testbed, testbedStatus } from './testbed.ts';
import { DEFAULT_ARGOCD } from './versions.ts';

const LOG_LINES = 200;

async function carryOut(command: Command): Promise<void> {
  switch (command.verb) {
    case 'help':
      console.log(USAGE);
      return;
    case 'start': {
      const started = performance.now();
      const testbed = await startTestbed({ ...command, progress: (text) => console.error(text) });
      console.log(introduce(testbed, (performance.now() - started) / 1000));
      return;
    }
    case 'build':
      await buildPrograms(command.argocd ?? DEFAULT_ARGOCD, (text) => console.error(text));
      return;
    case 'stop':
      await stopTestbed(command.name, { purge: command.purge });
      return;
    case 'status':
      await showStatus(command.name);
      return;
    case 'logs':
      console.log(await componentLog(command.subject, LOG_LINES, command.name));
      return;
    case 'restart':
      await restartComponent(command.subject, { name: command.name });
      return;
    case 'repository':
      console.log((await createRepository(command.subject, command.name)).url);
  }
}

async function showStatus(name: string): Promise<void> {
  const status = await testbedStatus(name);
  if (status.length === 0) console.log(`There is no testbed ${name}.`);
  for (const { name: component, state, pid, reason } of status) {
    console.log(
      `${component.padEnd(28)}${state}${pid === undefined ? '' : ` (pid ${pid})`}${reason === undefined ? '' : `\n${reason}`}`,
    );
  }
  if (status.some(({ state }) => state !== 'ready') || status.length === 0) process.exitCode = 1;
}

function introduce(
  { name, kubeconfig, programs, argocd, git, charts, registry, caFile }: Testbed,
  seconds: number,
): string {
  return `
The testbed ${name} runs (${seconds.toFixed(1)} s).

  export KUBECONFIG=${kubeconfig}
  export PATH=${programs}:$PATH

  Argo CD ${argocd.version.padEnd(13)}${argocd.url}   ${argocd.username} / ${argocd.password}
  Git                  ${git.url}/<name>.git   ${git.username} / ${git.password}
  Helm repository      ${charts.url}
  OCI registry         oci://${registry.host}
  Certificate of all   ${caFile}
`;
}

try {
  await carryOut(parseCommandLine(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
