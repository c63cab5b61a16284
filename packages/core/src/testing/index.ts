// Contract kits, fakes and arbitraries for those who write adapters or test a host. One block a concern.

export type { ContractRunner } from './contract-runner.ts';
