// Contract kits, fakes and arbitraries for those who write adapters or test a host. One block a concern.

export {
  type ApplicationControlContractOptions,
  type ApplicationControlSubject,
  applicationControlContract,
} from './application-control-contract.ts';
// arbitraries
export {
  type ArbitraryValuesOptions,
  arbitraryScalar,
  arbitraryValues,
  arbitraryValuesKey,
  arbitraryValuesLayers,
  type FastCheck,
} from './arbitraries.ts';
// the smaller ports
export {
  type ChangeNotifierContractOptions,
  type ChangeNotifierSubject,
  changeNotifierContract,
} from './change-notifier-contract.ts';
export { type ChartResolverContractOptions, chartResolverContract } from './chart-resolver-contract.ts';
export { type ClockContractOptions, clockContract } from './clock-contract.ts';
export type { ContractRunner } from './contract-runner.ts';
// status source, and Argo CD without a cluster
export { type ApplicationFeed, createApplicationFeed } from './fakes/application-feed.ts';
export { createManualClock, type ManualClock } from './fakes/manual-clock.ts';
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
export { playController } from './fakes/played-controller.ts';
export { createRecordingNotifier, type RecordingNotifier } from './fakes/recording-notifier.ts';
export { createReferenceSecretBackend, type ReferenceSecretBackend } from './fakes/reference-secret-backend.ts';
export { createSerialIds } from './fakes/serial-ids.ts';
export {
  createSimulatedArgoCd,
  type SimulatedArgoCd,
  type SimulatedArgoCdOptions,
  type SimulatedFailure,
} from './fakes/simulated-argo-cd.ts';
export { createStaticChartResolver } from './fakes/static-chart-resolver.ts';
export { idSourceContract } from './id-source-contract.ts';
export type { RepositoryUnderTest } from './repository-contract/contract-case.ts';
export { sampleInstance, sampleProduct, sampleTemplateVersion } from './repository-contract/sample-records.ts';
export { type RepositoryContractOptions, repositoryContract } from './repository-contract.ts';
export { type SecretBackendContractOptions, secretBackendContract } from './secret-backend-contract.ts';
export {
  type StateStoreContractOptions,
  type StateStoreHarness,
  stateStoreContract,
} from './state-store-contract.ts';
export {
  type StatusSourceContractOptions,
  type StatusSourceSubject,
  statusSourceContract,
} from './status-source-contract.ts';
