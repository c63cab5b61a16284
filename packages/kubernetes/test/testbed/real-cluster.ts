import { bedOf, kubectl, startTestbed, stopTestbed, type Testbed } from '../../../../testbed/src/index.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/client/kubernetes-client.ts';
import { kubeconfigConnection } from '../../src/connection/kubeconfig-connection.ts';

/** A testbed of its own, and clients of it. */
export interface RealCluster extends AsyncDisposable {
  readonly name: string;
  readonly testbed: Testbed;
  readonly client: KubernetesClient;
  kubectl(parameters: readonly string[], input?: object): Promise<string>;
  /** As a service account, by a token that lives for ten minutes. */
  clientOf(serviceAccount: { readonly namespace: string; readonly name: string }): Promise<KubernetesClient>;
}

export async function startRealCluster(purpose: string): Promise<RealCluster> {
  const name = `k8s-${purpose}-${process.pid}`;
  const testbed = await startTestbed({ name, progress: (text) => process.stderr.write(`${text}\n`) });
  const connection = await kubeconfigConnection({ path: testbed.kubeconfig });
  const client = createKubernetesClient(connection);
  const bed = await bedOf(name);
  const run = (parameters: readonly string[], input?: object) =>
    kubectl(bed, parameters, input === undefined ? undefined : JSON.stringify(input));
  return {
    name,
    testbed,
    client,
    kubectl: run,
    async clientOf({ namespace, name: account }) {
      const token = await run(['create', 'token', account, `--namespace=${namespace}`, '--duration=10m']);
      return createKubernetesClient({ ...connection, credentials: { token: () => token } });
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await stopTestbed(name, { purge: true });
    },
  };
}

/** Waits for a condition that only the server tells of; fails after two minutes. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 120_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`Waited two minutes for this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
