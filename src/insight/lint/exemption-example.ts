/** The stock DENY of Kubeflow's gateway for who has no token, with a path it leaves alone: an example for rules. */
export const requireTokenExcept = (path: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from:
    - source: {notRequestPrincipals: ["*"]}
    to:
    - operation: {notPaths: ["${path}"]}
`
