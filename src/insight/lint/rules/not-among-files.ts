import type { Rule } from '../rule.ts'

const dexWith = (more: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: dex, namespace: auth}
spec:
  template:
    metadata: {labels: {app: dex}}
    spec:
      containers:
      - name: dex
        image: ghcr.io/dexidp/dex:v2.45.0
        envFrom: [{secretRef: {name: dex-client}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: dex, namespace: auth}
data:
  config.yaml: |
    issuer: https://platform.example.com/dex
    storage: {type: kubernetes, config: {inCluster: true}}
    web: {http: 0.0.0.0:5556}
    enablePasswordDB: true
    staticClients:
    - {id: mlflow, name: MLflow, secretEnv: MLFLOW_SECRET, redirectURIs: [https://platform.example.com/mlflow/callback]}
${more}`

/** Variables of a part that come from a Secret or ConfigMap which is kept elsewhere. */
export const notAmongFiles: Rule = {
  id: 'not-among-files',
  severity: 'note',
  title: 'variables of a part come from a Secret or ConfigMap that is not among the files',
  why: 'Nothing is wrong with that, but what is in it is not judged: whether a variable is set at all, whether two sides have the same secret, whether everyone knows it.',
  remedy: 'Check with the manifest beside the others, or set the variable where `check` runs.',
  told: / is not among the files$/,
  bad: { 'dex.yaml': dexWith('') },
  good: {
    'dex.yaml': dexWith(`---
apiVersion: v1
kind: Secret
metadata: {name: dex-client, namespace: auth}
stringData: {MLFLOW_SECRET: 0b9c2f6d7a514f2f8f0f7f1c8ad3e2b1}
`),
  },
}
