/** What one minor version of Argo CD is built of, and what it renders with: the versions of its own `hack/tool-versions.sh`. */
export interface ArgocdVersion {
  readonly version: string;
  /** Shown after the version, as in a release. Unknown where it is not part of the module's pseudo-version. */
  readonly commit: string;
  readonly helm: GoTool;
  readonly kustomize: GoTool;
}

/** A program that `go install` makes. */
export interface GoTool {
  readonly name: string;
  readonly module: string;
  readonly version: string;
}

const helm = (major: number, version: string): GoTool => ({
  name: 'helm',
  module: `helm.sh/helm/v${major}/cmd/helm`,
  version,
});
const kustomize = (version: string): GoTool => ({
  name: 'kustomize',
  module: 'sigs.k8s.io/kustomize/kustomize/v5',
  version,
});

/** A minor version of Argo CD that can be started. */
export type ArgocdMinor = '3.5' | '3.2';

/** The versions of Argo CD that can be started, newest first. Each has a folder in `argocd/`. */
export const ARGOCD_VERSIONS: Readonly<Record<ArgocdMinor, ArgocdVersion>> = {
  '3.5': {
    version: '3.5.3',
    commit: 'c9c369efcc5b',
    helm: helm(4, 'v4.2.1'),
    kustomize: kustomize('v5.8.1'),
  },
  '3.2': { version: '3.2.11', commit: '', helm: helm(3, 'v3.18.4'), kustomize: kustomize('v5.7.1') },
};

/** What is started unless something else is asked for. */
export const DEFAULT_ARGOCD: ArgocdMinor = '3.5';

/** The version of Kubernetes in `control-plane/go.mod`. */
export const KUBERNETES_VERSION = 'v1.36.3';

export const SOPS: GoTool = { name: 'sops', module: 'github.com/getsops/sops/v3/cmd/sops', version: 'v3.13.3' };

/** True for a minor version of Argo CD that can be started. */
export const isArgocdMinor = (text: string): text is ArgocdMinor => Object.hasOwn(ARGOCD_VERSIONS, text);
