import { placeIn } from '../places.ts'
import type { Rule } from '../rule.ts'

const realm = (scopes: string) => `{
  "realm": "team",
  "clients": [
    {"clientId": "kubeflow", "redirectUris": ["https://platform.example.com/*"],
      "defaultClientScopes": [${scopes}]}
  ]
}
`

/** Keycloak tokens that have no `sub`. */
export const tokenWithoutSub: Rule = {
  id: 'token-without-sub',
  severity: 'warning',
  title: 'a Keycloak client without the scope `basic`, whose access tokens have no `sub`',
  why: 'Since Keycloak 25 the scope `basic` brings `sub` into access tokens. Istio’s `requestPrincipals: ["*"]` needs it: users with a valid token get 403 `RBAC: access denied`.',
  remedy: 'Add `basic` to the default client scopes of the client.',
  bad: { 'realm.json': realm('"profile", "email"') },
  good: { 'realm.json': realm('"basic", "profile", "email"') },
  find: ({ realms }) =>
    realms.flatMap((document) =>
      clientsOf(document.value).flatMap(({ clientId, defaultClientScopes }, index) => {
        if (!Array.isArray(defaultClientScopes) || defaultClientScopes.includes('basic')) return []
        return {
          place: placeIn(document, ['clients', index, 'defaultClientScopes']),
          message: `access tokens of \`${String(clientId)}\` have no \`sub\`, so no principal`,
          fix: 'add `basic`',
        }
      }),
    ),
  edits: ({ place }, { realms }) =>
    realms.flatMap((document) => {
      const index = Number(/^clients\[(\d+)\]/.exec(place.path)?.[1])
      const scopes = clientsOf(document.value)[index]?.defaultClientScopes
      const first = Array.isArray(scopes) ? scopes[0] : undefined
      if (document.source.file !== place.file || typeof first !== 'string') return []
      const at = placeIn(document, ['clients', index, 'defaultClientScopes', 0])
      return { kind: 'add-item', place: at, after: first, item: 'basic' } as const
    }),
}

interface Client {
  readonly clientId?: unknown
  readonly defaultClientScopes?: unknown
}

function clientsOf(realm: unknown): readonly Client[] {
  const clients = (realm as { clients?: unknown } | null)?.clients
  return Array.isArray(clients) ? clients.map((client) => (client ?? {}) as Client) : []
}
