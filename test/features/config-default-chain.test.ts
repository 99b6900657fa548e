import { expect, test } from 'vitest'
import { defaultChain, demoApps } from '../../src/config/default-chain.ts'
import { partAt } from '../../src/config/host-map.ts'

const secrets = {
  state: 'state-secret',
  cookie: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  clients: { 'gatehouse-broker': 'broker-secret', 'gatehouse-proxy': 'proxy-secret' },
}
const chain = defaultChain({ publicUrl: 'http://localhost:8080', secrets, apps: demoApps })

test('the broker and the proxy of the default chain agree on their client', () => {
  const [client] = chain.broker?.staticClients ?? []
  expect(client).toMatchObject({ id: 'gatehouse-proxy', secret: 'proxy-secret', redirectURIs: ['/oauth2/callback'] })
  expect(chain.proxy).toMatchObject({
    client_id: client?.id,
    client_secret: client?.secret,
    redirect_url: client?.redirectURIs[0],
    oidc_issuer_url: chain.broker?.issuer,
    cookie_secure: false,
    skip_provider_button: true,
  })
})

test('the broker is a client of the realm, with groups all the way', () => {
  const [connector] = chain.broker?.connectors ?? []
  const client = chain.realm?.realms[0]?.clients.find(({ clientId }) => clientId === 'gatehouse-broker')
  expect(connector?.config).toMatchObject({
    issuer: 'http://localhost:8080/auth/realms/platform',
    clientID: client?.clientId,
    clientSecret: client?.secret,
    redirectURI: client?.redirectUris[0],
    insecureEnableGroups: true,
    scopes: ['openid', 'profile', 'email', 'groups'],
  })
  expect(client?.attributes['post.logout.redirect.uris']).toBe('http://localhost:8080/dex/logout/callback')
  expect(chain.proxy?.scope.split(' ')).toContain('groups')
})

test('an app that signs users in itself has a client and is exempt in both policies', () => {
  const notes = chain.realm?.realms[0]?.clients.find(({ clientId }) => clientId === 'notes')
  expect(notes?.redirectUris).toEqual(['http://localhost:8080/notes/callback'])
  expect(notes?.secret).toMatch(/^[\w-]{43}$/)
  const lists = JSON.stringify(chain.gateway.authorizationPolicies)
  expect(lists.match(/\/notes\/\*/g)?.length).toBeGreaterThanOrEqual(2)
})

test('every destination of the stock routes is a part that runs here', () => {
  const destinations = chain.gateway.virtualServices
    .flatMap(({ http }) => http)
    .flatMap(({ action }) => (action.kind === 'forward' ? action.destinations : []))
  expect(destinations.map(({ host }) => partAt(chain.hosts, host))).toEqual([
    'realm',
    'broker',
    'proxy',
    'proxy',
    'console',
    'echo',
    'notes',
    'console',
  ])
})

test('behind https the session cookie is Secure', () => {
  const { proxy } = defaultChain({ publicUrl: 'https://platform.example.com', secrets, apps: [] })
  expect(proxy?.cookie_secure).toBe(true)
})
