import { nearestName } from '../../../kit/problems.ts'
import { placeOf, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject, Written } from '../subject.ts'

const files = (realm: string) => ({
  'dex.yaml': `issuer: https://platform.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
connectors:
- type: oidc
  id: keycloak
  name: Keycloak
  config:
    issuer: https://keycloak.example.com/realms/${realm}
    clientID: dex
    clientSecret: secret-of-dex
    redirectURI: https://platform.example.com/dex/callback
    insecureEnableGroups: true
    scopes: [profile, email, groups]
`,
  'realm.json': `{
  "realm": "kubeflow",
  "clients": [
    { "clientId": "dex", "secret": "secret-of-dex", "redirectUris": ["https://platform.example.com/dex/callback"] }
  ]
}
`,
})

/** An issuer that is nearly one of the realms among the files. */
export const unknownRealm: Rule = {
  id: 'unknown-realm',
  severity: 'error',
  title: 'an issuer names a realm that is nearly one of the realms among the files',
  why: 'Keycloak answers “Realm does not exist”: Dex does not start, or the login ends with 404. Names of realms are case-sensitive.',
  remedy: 'Write the realm as its file calls it.',
  bad: files('Kubeflow'),
  good: files('kubeflow'),
  find: (subject) => {
    const known = subject.realms.map(({ value }) => String(valueAtPath(value, ['realm'])))
    return issuersOf(subject).flatMap((issuer) => {
      const name = /\/realms\/([^/]+)\/?$/.exec(String(issuer.value))?.[1]
      const meant = name === undefined || known.includes(name) ? undefined : nearestName(name, known)
      if (meant === undefined) return []
      return [{ place: placeOf(issuer), message: `no realm is called \`${name}\``, fix: `did you mean \`${meant}\`?` }]
    })
  },
}

/** Where an issuer is written that may be a realm: Dex's connectors, and the proxy. */
function issuersOf({ dex, proxySetting }: Subject): Written[] {
  const connectors = dex && valueAtPath(dex.value, ['connectors'])
  const inDex = (Array.isArray(connectors) ? connectors : []).flatMap((connector, index) => {
    const path = ['connectors', index, 'config', 'issuer']
    const value = valueAtPath(connector, ['config', 'issuer'])
    return dex && value !== undefined ? [{ value, source: dex.source, path }] : []
  })
  return [...inDex, proxySetting('oidc_issuer_url') ?? []].flat()
}
