import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.ts';

describe('the command line', () => {
  it.each([
    [[], { verb: 'start', name: 'default' }],
    [['start'], { verb: 'start', name: 'default' }],
    [['--argocd', '3.2', '--polling', '5', '--name', 'old'], { verb: 'start', name: 'old', argocd: '3.2', polling: 5 }],
    [['build'], { verb: 'build' }],
    [['build', '--argocd', '3.2'], { verb: 'build', argocd: '3.2' }],
    [['stop'], { verb: 'stop', name: 'default', purge: false }],
    [['stop', '--purge', '--name=b'], { verb: 'stop', name: 'b', purge: true }],
    [['status'], { verb: 'status', name: 'default' }],
    [['logs', 'etcd'], { verb: 'logs', name: 'default', subject: 'etcd' }],
    [['restart', 'redis'], { verb: 'restart', name: 'default', subject: 'redis' }],
    [['repository', 'gitops'], { verb: 'repository', name: 'default', subject: 'gitops' }],
    [['--help'], { verb: 'help' }],
  ])('%j', (words, command) => {
    expect(parseCommandLine(words)).toEqual(command);
  });

  it.each([
    [['begin'], '"begin" is no command.'],
    [['start', 'now'], '"now" is one word too many.'],
    [['logs', 'etcd', 'redis'], '"redis" is one word too many.'],
    [['logs'], 'Say a component after logs.'],
    [['status', '--purge'], '--purge belongs to stop.'],
    [['stop', '--polling', '5'], '--polling belongs to start.'],
    [['build', '--polling', '5'], '--polling belongs to start.'],
    [['stop', '--argocd', '3.2'], '--argocd belongs to start and build.'],
    [['--argocd', '3.4'], '--argocd takes 3.5 or 3.2.'],
    [['--argocd', 'toString'], '--argocd takes 3.5 or 3.2.'],
    [['--polling', '0'], '--polling takes whole seconds from 1 to 86400.'],
    [['--polling', '86401'], '--polling takes whole seconds from 1 to 86400.'],
    [['--polling', '1.5'], '--polling takes whole seconds from 1 to 86400.'],
    [['--colour'], /Unknown option '--colour'/],
  ])('%j is refused', (words, message) => {
    expect(() => parseCommandLine(words)).toThrow(message);
  });
});
