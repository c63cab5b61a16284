// Contract kits, fakes and arbitraries for those who write adapters or test a host. One block a concern.

export type { ContractRunner } from './contract-runner.ts';
// repository
export {
  createMemoryRepository,
  type MemoryRepository,
  type MemoryRepositoryOptions,
} from './fakes/memory-repository.ts';

// state store
export {
  createMemoryBranch,
  createMemoryStateStore,
  type MemoryBranch,
  type MemoryCommit,
  type MemoryStateStoreOptions,
} from './fakes/memory-state-store.ts';
export {
  type StateStoreContractOptions,
  type StateStoreHarness,
  stateStoreContract,
} from './state-store-contract.ts';
