import { describe, expect, it } from 'vitest';
import { STATUS_MESSAGE_LIMIT, toStatusMessage } from './status-message.ts';

const SOURCE =
  'Failed to load target state: failed to generate manifest for source 2 of 2: rpc error: code = Unknown desc = ';
const PULL =
  'helm pull --destination /tmp/8de5a958-4321-46d7-b323-f129a3690639 --version 9.9.9 --repo https://charts.example.com wiki';
const TEMPLATE =
  'failed to execute helm template command: failed running helm: `helm template . --name-template wiki --namespace x --kube-version 1.36.3 --values <path to cached source>/instances/x/values.yaml <api versions removed> --include-crds` failed exit status 1: Error: ';

/** As Argo CD 3.5.3 said it. */
const REAL: Readonly<Record<string, readonly [said: string, told: string]>> = {
  'a version that the Helm repository has not': [
    `${SOURCE}error fetching chart: failed to fetch chart: failed running helm: \`${PULL}\` failed exit status 1: Error: chart "wiki" version "9.9.9" not found in https://charts.example.com repository`,
    'chart "wiki" version "9.9.9" not found in https://charts.example.com repository',
  ],
  'a version that the registry has not': [
    `${SOURCE}error pulling OCI chart: failed to pull OCI chart: failed running helm: \`helm pull oci://registry.example.com/charts/wiki --version 9.9.9 --destination /tmp/f6e1d459\` failed exit status 1: Error: failed to perform "FetchReference" on source: registry.example.com/charts/wiki:9.9.9: not found`,
    'failed to perform "FetchReference" on source: registry.example.com/charts/wiki:9.9.9: not found',
  ],
  'a repository that is away': [
    `${SOURCE}error fetching chart: failed to fetch chart: failed running helm: \`${PULL}\` failed exit status 1: Error: looks like "https://charts.example.com" is not a valid chart repository or cannot be reached: Get "https://charts.example.com/index.yaml": dial tcp 203.0.113.1:443: connect: connection refused`,
    'looks like "https://charts.example.com" is not a valid chart repository or cannot be reached: Get "https://charts.example.com/index.yaml": dial tcp 203.0.113.1:443: connect: connection refused',
  ],
  'values that the schema of the chart refuses': [
    `${SOURCE}${TEMPLATE}values don't meet the specifications of the schema(s) in the following chart(s):\nwiki:\n- at '/size': 'large' does not match pattern '^[0-9]+Gi$'`,
    "values don't meet the specifications of the schema(s) in the following chart(s):\nwiki:\n- at '/size': 'large' does not match pattern '^[0-9]+Gi$'",
  ],
  'values that a template refuses': [
    `${SOURCE}${TEMPLATE}execution error at (wiki/templates/mood.yaml:1:25): The mood odd is unknown, use happy or sad\n\nUse --debug flag to render out invalid YAML`,
    'execution error at (wiki/templates/mood.yaml:1:25): The mood odd is unknown, use happy or sad',
  ],
  'a kind that the cluster has not': [
    'one or more synchronization tasks are not valid: failed to discover server resources for group version example.com/v1: the server could not find the requested resource. Retrying attempt #2 at 9:31AM.',
    'failed to discover server resources for group version example.com/v1: the server could not find the requested resource',
  ],
  'a manifest that the API server refuses': [
    'one or more synchronization tasks completed unsuccessfully, reason: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0. Retrying attempt #2 at 9:31AM.',
    'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ],
  'an object in the namespace of another': [
    `Failed to compare desired state to live state: failed to calculate diff: error calculating server side diff: serverSideDiff error: error running server side apply in dryrun mode for resource ConfigMap/web: configmaps "web" is forbidden: ValidatingAdmissionPolicy 'caelus-x' with binding 'caelus-x' denied request: The namespace is that of another instance.`,
    'configmaps "web" is forbidden: The namespace is that of another instance.',
  ],
  'a sync that is not tried again': [
    'Failed last sync attempt to [7451f8c19c12adecb71993c920a6deab208b81fb 1.0.0]: Operation terminated (retried 2 times).',
    'Operation terminated',
  ],
};

describe('toStatusMessage', () => {
  it.each(Object.entries(REAL))('tells the cause of %s', (_, [said, told]) => {
    expect(toStatusMessage(said)).toBe(told);
  });

  it('leaves what it does not know, and what would be nothing', () => {
    expect(toStatusMessage('container crashes')).toBe('container crashes');
    expect(toStatusMessage('Failed to load target state: ')).toBe('Failed to load target state:');
  });

  it('shortens at the limit', () => {
    const limit = 'y'.repeat(STATUS_MESSAGE_LIMIT);
    expect(toStatusMessage(limit)).toBe(limit);
    expect(toStatusMessage(`${limit}y`)).toBe(`${limit.slice(1)}…`);
  });
});
