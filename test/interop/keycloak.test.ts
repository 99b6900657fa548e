import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpClient } from '../world/http-client.ts'
import { ada } from '../world/platform-files.ts'
import { findProgram, freePort, workDirectory } from '../world/programs.ts'
import { type KeycloakWorld, startKeycloak } from './keycloak-world.ts'
import { describeWith, type RunningProgram, startProgram } from './programs.ts'

const main = fileURLToPath(new URL('../../src/main.mjs', import.meta.url))
const secret = 'Vq7mT2xKfR9cWzLd4HsB'

describeWith({ name: 'kc.sh', from: 'org.keycloak:keycloak-quarkus-dist from Maven Central' }, (program) => {
  let keycloak: KeycloakWorld
  const running: RunningProgram[] = []
  const original = findProgram('oauth2-proxy')

  beforeAll(async () => {
    keycloak = await startKeycloak(program)
  }, 300_000)
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()))
    await keycloak?.stop()
  })

  /** A proxy in front of nothing, as a client of the realm by its own port. */
  async function startProxy(command: readonly string[], more: readonly string[] = []): Promise<string> {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const clientId = `proxy-${port}`
    await keycloak.addClient({ clientId, secret, origin, logoutPath: '/oauth2/backchannel-logout' })
    const [file = '', ...args] = command
    const flags = [
      ...['--provider=keycloak-oidc', `--oidc-issuer-url=${keycloak.issuer}`, `--client-id=${clientId}`],
      ...[`--client-secret=${secret}`, '--cookie-secret=0f8a3b7c5d2e4f6a9b1c8d7e6f5a4b3c', '--cookie-secure=false'],
      ...['--email-domain=*', '--scope=openid email profile groups', '--set-xauthrequest', '--pass-access-token'],
      ...[`--http-address=127.0.0.1:${port}`, `--redirect-url=${origin}/oauth2/callback`, '--upstream=static://200'],
      ...['--skip-provider-button', '--code-challenge-method=S256', '--skip-jwt-bearer-tokens', ...more],
    ]
    running.push(await startProgram(file, [...args, ...flags], { port }))
    return origin
  }
  const ours = (more?: readonly string[]) => startProxy([process.execPath, main, 'oauth2-proxy'], more)

  async function signIn(origin: string, path = '/') {
    const browser = httpClient()
    const form = await browser.follow(origin + path)
    const landed = await browser.submit(form, { username: ada.username, password: ada.password })
    const whoami = () => browser.send(`${origin}/oauth2/auth`)
    return { browser, landed, whoami }
  }

  async function told(origin: string): Promise<Record<string, string | null>> {
    const { headers } = await (await signIn(origin)).whoami()
    const names = ['x-auth-request-user', 'x-auth-request-email', 'x-auth-request-preferred-username', 'gap-auth']
    const groups = headers.get('x-auth-request-groups')?.split(',').toSorted().join()
    return { ...Object.fromEntries(names.map((name) => [name, headers.get(name)])), groups: groups ?? null }
  }

  test('who signs in is told apart by groups and roles', async () => {
    expect(await told(await ours())).toMatchObject({
      'x-auth-request-email': ada.email,
      'x-auth-request-preferred-username': ada.username,
      groups: expect.stringMatching(/^\/ml,.*role:dev/),
    })
  })

  test.skipIf(original === undefined)('apps are told what the real oauth2-proxy tells them', async () => {
    const [theirs, mine] = [await startProxy([original ?? '']), await ours()]
    expect(await told(mine)).toEqual(await told(theirs))
  })

  test('groups follow the realm when the session is refreshed', async () => {
    const { whoami } = await signIn(await ours(['--cookie-refresh=1s']))
    await keycloak.setGroups(['ops'])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const groups = (await whoami()).headers.get('x-auth-request-groups')
    await keycloak.setGroups(['ml'])
    expect(groups).toContain('/ops')
    expect(groups).not.toContain('/ml')
  })

  test('a sign-out ends the session at Keycloak, too', async () => {
    const origin = await ours()
    const { browser, whoami } = await signIn(origin)
    expect((await whoami()).status).toBe(202)
    const signedOut = await browser.follow(`${origin}/oauth2/sign_out`)
    expect([signedOut.response.status, new URL(signedOut.url).origin]).toEqual([200, origin])
    expect((await whoami()).status).toBe(401)
    expect((await browser.follow(`${origin}/`)).text).toContain('kc-form-login')
  })

  test('an administrator who ends her sessions ends this one at once, by back-channel logout', async () => {
    const { whoami } = await signIn(await ours())
    expect((await whoami()).status).toBe(202)
    await keycloak.endSessions()
    expect((await whoami()).status).toBe(401)
  })

  describe('a token of the realm as a bearer', () => {
    async function tokenOf(clientId: string): Promise<string> {
      const response = await fetch(`${keycloak.issuer}/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
          ...{ grant_type: 'password', client_id: clientId, client_secret: secret, scope: 'openid groups' },
          ...{ username: ada.username, password: ada.password },
        }),
      })
      return ((await response.json()) as { access_token: string }).access_token
    }

    test('opens where it is meant for this client, and nowhere else', async () => {
      const [origin, other] = [await ours(), await ours()]
      const clientOf = (at: string) => `proxy-${new URL(at).port}`
      const ask = async (token: string) => {
        const { status, headers } = await fetch(`${origin}/oauth2/auth`, {
          headers: { authorization: `Bearer ${token}` },
        })
        return [status, headers.get('x-auth-request-email')]
      }
      expect(await ask(await tokenOf(clientOf(origin)))).toEqual([202, ada.email])
      expect((await ask(await tokenOf(clientOf(other))))[0]).toBe(401)
    })
  })

  /** What `up` is to run from, in a directory. */
  const chains: readonly [what: string, (directory: string, origin: string) => readonly string[]][] = [
    [
      'from a gatehouse.yaml',
      (directory, origin) => {
        const file = join(directory, 'gatehouse.yaml')
        writeFileSync(
          file,
          [
            `publicUrl: ${origin}`,
            'realm: false',
            'apps: [{ name: echo, prefix: /echo/, host: echo }]',
            `broker:\n${connectors(origin, keycloak.issuer)}`,
          ].join('\n'),
        )
        return ['--config', file]
      },
    ],
    [
      'from a platform’s files, with its Keycloak kept',
      (directory, origin) => {
        const dex = `issuer: ${origin}/dex\nstorage: { type: memory }\nweb: { http: 0.0.0.0:5556 }\noauth2: { skipApprovalScreen: true }\n`
        writeFileSync(join(directory, 'dex.yaml'), dex + connectors(origin, keycloak.issuer).replace(/^ {2}/gm, ''))
        const { host, port } = new URL(origin)
        return ['--from', directory, '--keep', keycloak.issuer, '--domain', `http://${host}`, '--port', port]
      },
    ],
  ]

  test.each(chains)('a whole chain %s signs in at Keycloak, and out, there or here', async (_, sourceOf) => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    await keycloak.addClient({
      clientId: `chain-${port}`,
      ...{ secret, origin, logoutPath: '/dex/backchannel-logout/keycloak' },
    })
    const directory = workDirectory('keycloak')
    const source = sourceOf(directory, origin)
    const data = source[0] === '--config' ? [] : ['--data', join(directory, 'data')]
    running.push(await startProgram(process.execPath, [main, 'up', ...source, ...data], { port }))
    while ((await fetch(origin, { redirect: 'manual' })).status === 503) await new Promise(setImmediate)
    const { browser, landed } = await signIn(origin, '/echo/?format=json')
    expect(JSON.parse(landed.text)).toMatchObject({ user: ada.email, groups: ['ml'] })
    await browser.follow(`${origin}/oauth2/sign_out`)
    const again = await browser.follow(`${origin}/echo/?format=json`)
    expect(again.text).toContain('action="http')
    expect(new URL(again.url).pathname).toContain('/auth/realms/corp/')
    const second = await signIn(origin, '/echo/?format=json')
    await keycloak.endSessions()
    expect((await second.browser.send(`${origin}/echo/?format=json`)).status).toBe(302)
  })
})

/** Dex's key, two spaces in. */
const connectors = (origin: string, issuer: string) => `  connectors:
    - type: oidc
      id: keycloak
      name: Keycloak
      config:
        issuer: ${issuer}
        clientID: chain-${new URL(origin).port}
        clientSecret: ${secret}
        redirectURI: ${origin}/dex/callback
        scopes: [openid, profile, email, groups]
        insecureEnableGroups: true
`
