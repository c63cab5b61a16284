import type { RenderContext } from '@caelus/core';
import type { InstanceIsolationOptions } from './bootstrap-input.ts';
import type { PlannedObject } from './planned-object.ts';

/** Argo CD 3 writes `<application>:<group>/<kind>:<namespace>/<name>` into it, over whatever a chart has there. */
const TRACKING_ID = "metadata.?annotations[?'argocd.argoproj.io/tracking-id'].orValue('').split(':')[0]";
const INSTANCE = "metadata.?labels[?'caelus.dev/instance']";

/**
 * What an AppProject cannot say, since all instances of a tier share one: an Application writes into the namespace of its own instance
 * alone. The API server holds Argo CD to it, whatever a chart lets its user ask for.
 */
export function instanceIsolationObjects(
  { storeId }: RenderContext,
  controllers: readonly string[],
): readonly PlannedObject[] {
  // Two databases may have a cluster in common, and these objects lie in no namespace.
  const name = `caelus-instance-isolation-${storeId}`;
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      ownership: 'own',
      reason: "Keeps an instance's Application out of the namespaces of all others, whatever its chart renders.",
      manifest: {
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        // With all that the API server would add, so that a field more is one that somebody else has set.
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            matchPolicy: 'Equivalent',
            namespaceSelector: {},
            objectSelector: {},
            resourceRules: [
              {
                apiGroups: ['*'],
                apiVersions: ['*'],
                operations: ['CREATE', 'UPDATE', 'DELETE'],
                resources: ['*'],
                scope: '*',
              },
            ],
          },
          matchConditions: [
            { name: 'argo-cd', expression: `request.userInfo.username in ${JSON.stringify(controllers)}` },
          ],
          variables: [
            {
              name: 'isOfInstance',
              expression: `namespaceObject != null && namespaceObject.?${INSTANCE}.hasValue()`,
            },
            {
              name: 'application',
              expression: `(request.operation == 'DELETE' ? oldObject : object).?${TRACKING_ID}`,
            },
            {
              name: 'isNamespaceUpdate',
              expression:
                "request.kind.group == '' && request.kind.kind == 'Namespace' && request.operation == 'UPDATE'",
            },
          ],
          validations: [
            {
              expression: "!variables.isOfInstance || variables.application != ''",
              message: 'The object says no Application that it is of; Argo CD has to track resources by annotation.',
              reason: 'Forbidden',
            },
            {
              expression: `!variables.isOfInstance || variables.application == namespaceObject.?${TRACKING_ID}`,
              message: 'The namespace is that of another instance, and only its own Application may write into it.',
              reason: 'Forbidden',
            },
            {
              expression: `!variables.isNamespaceUpdate || !oldObject.?${INSTANCE}.hasValue() || (object.?${INSTANCE}.hasValue() && variables.application == oldObject.?${TRACKING_ID})`,
              message: 'The namespace of an instance stays one, and with its Application.',
              reason: 'Forbidden',
            },
          ],
        },
      },
    },
    {
      ownership: 'own',
      reason: 'Puts that policy into force, in the whole cluster.',
      manifest: {
        apiVersion,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name },
        spec: { policyName: name, validationActions: ['Deny'] },
      },
    },
  ];
}

/** As whom Argo CD writes into the cluster. */
export function controllersOf({ controllers }: InstanceIsolationOptions, argoCdNamespace: string): readonly string[] {
  return controllers ?? [`system:serviceaccount:${argoCdNamespace}:argocd-application-controller`];
}
