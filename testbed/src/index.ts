export { publishChart, pushChart } from './chart.ts';
export { until, type WaitOptions } from './condition.ts';
export { createRepository } from './git-repository.ts';
export { kubectl } from './kubectl.ts';
export {
  bedOf,
  type ComponentStatus,
  componentLog,
  findTestbed,
  restartComponent,
  startTestbed,
  stopTestbed,
  type Testbed,
  type TestbedOptions,
  testbedStatus,
} from './testbed.ts';
export type { ArgocdMinor } from './versions.ts';
