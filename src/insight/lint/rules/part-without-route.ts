import { placeIn, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const files = (prefix: string) => ({
  'dex.yaml': `issuer: https://platform.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
`,
  'routes.yaml': `apiVersion: v1
kind: Service
metadata: {name: dex, namespace: auth}
spec:
  ports: [{name: http, port: 5556}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: dex, namespace: auth}
spec:
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: ${prefix}}}]
    route: [{destination: {host: dex, port: {number: 5556}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: centraldashboard, namespace: kubeflow}
spec:
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: /}}]
    route: [{destination: {host: centraldashboard, port: {number: 80}}}]
`,
})

/** The login pages of Dex, where no route leads. */
export const partWithoutRoute: Rule = {
  id: 'part-without-route',
  severity: 'warning',
  title: 'no route leads to Dex, or it leads to another path than that of the issuer',
  why: 'Browsers are sent to the path of the issuer to sign in. Without a route they get 404 there, or the dashboard, which sends them to sign in again.',
  remedy: 'Add a VirtualService for the path of the issuer, without a rewrite.',
  bad: files('/auth/'),
  good: files('/dex/'),
  find: (subject) => {
    const { dex, gateway } = subject
    const issuer = dex && URL.parse(String(valueAtPath(dex.value, ['issuer'])))
    const path = issuer?.pathname.replace(/\/$/, '')
    const routes = texts(subject)
    const isHere = gateway.services.some(({ key }) => key.startsWith('dex.'))
    const isWhole = routes.some((text) => text === '{"prefix":"/"}' || text.includes('/oauth2')) // not an app's own files
    if (!dex || !path || !isHere || !isWhole || routes.some((text) => text.includes(path))) return []
    const message = `no VirtualService leads to \`${path}/\`, where browsers sign in`
    return [{ place: placeIn(dex, ['issuer']), message, fix: `add one for \`prefix: ${path}/\`` }]
  },
}

/** What the routes of the files ask of a path. */
function texts({ istio }: Subject): string[] {
  return istio
    .filter(({ value }) => valueAtPath(value, ['kind']) === 'VirtualService')
    .flatMap(({ value }) => listAt(value, ['spec', 'http']))
    .flatMap((route) => listAt(route, ['match']))
    .map((match) => JSON.stringify(valueAtPath(match, ['uri']) ?? ''))
}

function listAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const list = valueAtPath(value, path)
  return Array.isArray(list) ? list : []
}
