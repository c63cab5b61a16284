import { type Bed, type PortName, paths } from './bed.ts';
import type { Component } from './component.ts';

/** What Argo CD reads from and keeps its cache in. */
export function services(bed: Bed): readonly Component[] {
  const { certificate, key, git, gitCredentials, charts, registry, redisConfiguration } = paths(bed);
  const listen = (name: PortName) => `--listen=127.0.0.1:${bed.ports[name]}`;
  const serving = (name: PortName & ('git-server' | 'chart-repository'), folder: string, ...more: string[]) => ({
    name,
    program: 'services',
    arguments: [name, listen(name), `--folder=${folder}`, ...more],
    ready: { kind: 'http', port: bed.ports[name], path: '/healthz' } as const,
  });
  return [
    serving('git-server', git, `--credentials-file=${gitCredentials}`),
    serving('chart-repository', charts),
    {
      name: 'oci-registry',
      program: 'services',
      // Helm asks registries by TLS alone.
      arguments: [
        'oci-registry',
        listen('oci-registry'),
        `--folder=${registry}`,
        `--tls-certificate=${certificate('component')}`,
        `--tls-key=${key('component')}`,
      ],
      ready: { kind: 'https', port: bed.ports['oci-registry'], path: '/healthz' },
    },
    {
      name: 'redis',
      program: 'redis-server',
      arguments: [redisConfiguration],
      ready: { kind: 'redis', port: bed.ports.redis },
    },
  ];
}
