/** Removes what an earlier stack has left: its Applications first, and none of them is allowed to bring anything back. */
export async function clearCluster(kubectl: (args: readonly string[]) => Promise<string>): Promise<void> {
  await kubectl(['delete', 'application', 'caelus-root', '--namespace=argocd', '--ignore-not-found']);
  const managed = '--selector=app.kubernetes.io/managed-by=caelus';
  const found = await kubectl(['get', 'application,appproject', '--namespace=argocd', managed, '--output=name']);
  for (const object of found.split('\n').filter(Boolean)) {
    const patch = ['--type=merge', '--patch={"metadata":{"finalizers":null}}'];
    await kubectl(['patch', object, '--namespace=argocd', ...patch]);
    await kubectl(['delete', object, '--namespace=argocd', '--ignore-not-found']);
  }
  const instances = `${managed},caelus.dev/instance`;
  await kubectl(['delete', 'namespace', instances, '--wait=false']);
}
