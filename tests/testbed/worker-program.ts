// The loops of a host in a process of its own. It prints `started` once they run, and runs until it is killed. The file of its
// `HostSettings` is its only argument.
import { readFileSync, writeSync } from 'node:fs';
import { type HostSettings, openHost } from './live-host.ts';

// The cast: the tests that start this program give it nothing else.
const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as HostSettings;
// Short leases, so that what a killed worker had is soon free again.
await using host = await openHost(settings, { timings: { lease: 5_000, writerLease: 2_000 } });
await using _worker = host.caelus.start();
writeSync(1, 'started\n');
await new Promise<never>(() => {});
