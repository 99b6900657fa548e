import { spawn } from 'node:child_process'
import process from 'node:process'
import { ada } from '../world/platform-files.ts'
import { freePort } from '../world/programs.ts'

/** A client of the realm. */
export interface RealmClient {
  readonly clientId: string
  readonly secret: string
  /** Anything below it is a redirect URI. */
  readonly origin: string
  /** Where it is told of sessions that ended. */
  readonly logoutPath: string
}

/** A real Keycloak with the realm `corp`, where `ada` has groups and roles. */
export interface KeycloakWorld {
  readonly issuer: string
  addClient(client: RealmClient): Promise<void>
  setGroups(names: readonly string[]): Promise<void>
  /** An administrator ends all her sessions. */
  endSessions(): Promise<void>
  stop(): Promise<void>
}

const admin = { username: 'admin', password: 'a-bootstrap-password' } as const

/** Starts the server and makes the realm; takes half a minute, and more where the program was never started. */
export async function startKeycloak(program: string): Promise<KeycloakWorld> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}/auth`
  const args = ['start-dev', `--http-port=${port}`, '--http-relative-path=/auth', '--db=dev-mem']
  const child = spawn(program, args, {
    stdio: 'ignore',
    env: {
      ...process.env,
      KC_BOOTSTRAP_ADMIN_USERNAME: admin.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
    },
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await untilReady(`${origin}/realms/master/.well-known/openid-configuration`, ended)

  async function ask(path: string, { method = 'GET', body }: { method?: string; body?: unknown } = {}) {
    const headers = { authorization: `Bearer ${await adminToken(origin)}`, 'content-type': 'application/json' }
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await fetch(`${origin}/admin/realms${path}`, init)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  await ask('', { method: 'POST', body: realm })
  await ask('/corp/client-scopes', { method: 'POST', body: groupsScope })
  const scopes = (await ask('/corp/client-scopes')) as { id: string; name: string }[]
  const scopeId = scopes.find(({ name }) => name === groupsScope.name)?.id
  await ask(`/corp/default-optional-client-scopes/${scopeId}`, { method: 'PUT' })
  const [{ id: userId }] = (await ask('/corp/users?username=ada')) as [{ id: string }]
  const groups = (await ask('/corp/groups')) as { id: string; name: string }[]

  return {
    issuer: `${origin}/realms/corp`,
    async addClient(client) {
      await ask('/corp/clients', { method: 'POST', body: representationOf(client) })
    },
    async setGroups(names) {
      for (const { id, name } of groups) {
        await ask(`/corp/users/${userId}/groups/${id}`, { method: names.includes(name) ? 'PUT' : 'DELETE' })
      }
    },
    async endSessions() {
      await ask(`/corp/users/${userId}/logout`, { method: 'POST' })
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function untilReady(url: string, ended: Promise<void>): Promise<void> {
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  while (!isOver) {
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('Keycloak ended before it was ready')
}

async function adminToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...admin }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

/** A stock realm knows no scope `groups`: whoever wants groups in tokens adds one. */
const groupsScope = {
  name: 'groups',
  protocol: 'openid-connect',
  protocolMappers: [
    {
      name: 'groups',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-group-membership-mapper',
      config: {
        ...{ 'claim.name': 'groups', 'full.path': 'true' },
        ...{ 'id.token.claim': 'true', 'access.token.claim': 'true', 'userinfo.token.claim': 'true' },
      },
    },
  ],
}

const realm = {
  realm: 'corp',
  enabled: true,
  sslRequired: 'none',
  groups: [{ name: 'ml' }, { name: 'ops' }],
  roles: { realm: [{ name: 'dev' }] },
  users: [
    {
      ...{ username: ada.username, email: ada.email, emailVerified: true, enabled: true },
      ...{ firstName: 'Ada', lastName: 'Lovelace' },
      groups: ['/ml'],
      realmRoles: ['dev'],
      credentials: [{ type: 'password', value: ada.password }],
    },
  ],
}

function representationOf({ clientId, secret, origin, logoutPath }: RealmClient) {
  const audience = {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.client.audience': clientId, 'access.token.claim': 'true' },
  }
  return {
    ...{ clientId, secret, enabled: true, directAccessGrantsEnabled: true },
    redirectUris: [`${origin}/*`],
    attributes: {
      'post.logout.redirect.uris': '+',
      'backchannel.logout.url': origin + logoutPath,
      'backchannel.logout.session.required': 'true',
    },
    protocolMappers: [audience],
  }
}
