import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { platformFiles } from '../world/platform-files.ts'
import { type AttackWorld, attackWorld, authorize, loginPage, type WireAnswer } from './attacks-world.ts'

let world: AttackWorld
beforeAll(async () => {
  world = await attackWorld()
})
afterAll(() => world.close())

/** Ways to write “evil.example” so that a check and a browser read it differently. */
const lures = [
  'https://evil.example/',
  'http://evil.example',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '/ /evil.example',
  '/./\\evil.example',
  '/../\\evil.example',
  '/%09/evil.example',
  '/%5cevil.example',
  '/%2f%2fevil.example',
  '//%2fevil.example',
  '/.//evil.example',
  '/..//evil.example',
  'https:evil.example',
  'https:/evil.example',
  'https:///evil.example',
  'https:\\\\evil.example',
  'HTTPS://EVIL.EXAMPLE',
  'hTTps://evil.example',
  ' https://evil.example',
  '\u0000https://evil.example',
  '\u200bhttps://evil.example',
  'https://HOST@evil.example',
  'https://HOST:x@evil.example',
  'https://HOST\\@evil.example',
  'https://HOST%2f@evil.example',
  'https://HOST.evil.example',
  'https://evil.example#HOST',
  'https://evil.example?HOST',
  'https://evil.example\\HOST',
  'https://evil.example/HOST',
  'https://evil。example',
  'https://ｅｖｉｌ.example',
  'https://xn--evil-.example',
  'https://[::ffff:1.2.3.4]',
  'https://0x7f000001',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'blob:https://evil.example/x',
  'file:///etc/passwd',
  'x:evil',
  'mailto:evil@evil.example',
  '?https://evil.example',
  '#https://evil.example',
  '@evil.example',
  '.evil.example',
  ':80@evil.example',
  'evil.example',
]

const allLures = () => lures.map((lure) => lure.replaceAll('HOST', world.host))

/** Whether a browser that is sent there from one of our pages stays with us. */
function staysHere(target: string): boolean {
  const url = URL.parse(target, `${world.origin}/oauth2/callback`)
  return url?.origin === world.origin
}

/** No address in an answer leads away: neither its Location, nor a link, form or meta refresh of its page. */
function expectNoWayOut({ header, body }: WireAnswer, what: string): void {
  const location = header('location')
  if (location !== undefined) expect(staysHere(location), `${what} → ${location}`).toBe(true)
  expect(header('refresh'), what).toBeUndefined()
  expect(body, what).not.toMatch(/http-equiv="?refresh/i)
  for (const [, attribute = ''] of body.matchAll(/(?:href|action|src)="([^"]*)"/g)) {
    expect(staysHere(attribute.replaceAll('&amp;', '&')), `${what} → ${attribute}`).toBe(true)
  }
}

describe('rd leads nowhere else', () => {
  test.each(['/oauth2/start', '/oauth2/sign_in', '/oauth2/sign_out', '/oauth2/signed_out', '/logout'])(
    'at %s',
    async (path) => {
      for (const lure of allLures()) {
        for (const name of ['rd', 'state', 'next', 'redirect', 'url', 'back']) {
          const what = `${path} ${name}=${lure}`
          expectNoWayOut(await world.ask(`${path}?${name}=${encodeURIComponent(lure)}`), what)
        }
        const posted = await world.ask(path, {
          method: 'POST',
          headers: ['Content-Type: application/x-www-form-urlencoded'],
          body: new URLSearchParams({ rd: lure, state: lure }).toString(),
        })
        expectNoWayOut(posted, `POST ${path} ${lure}`)
      }
    },
  )

  test('through a whole sign-in, however it is asked for', async () => {
    for (const lure of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/\t/evil.example',
      '/.//evil.example',
    ]) {
      const browser = world.newBrowser()
      const page = await browser.follow(`${world.origin}/oauth2/start?rd=${encodeURIComponent(lure)}`)
      const landed = await browser.submit(page, { username: 'ada', password: world.passwordOf() })
      expect([lure, landed.url]).toEqual([lure, `${world.origin}/`])
    }
  })

  test('through a state that was tampered with on its way', async () => {
    for (const lure of allLures().slice(0, 20)) {
      const { browser, page } = await loginPage(world)
      const hops = new URL(page.hops[1] ?? '', world.origin)
      const state = hops.searchParams.get('state') ?? ''
      const tampered = state.replace(/:.*/s, `:${lure}`)
      const answer = await browser.send(`${world.origin}/oauth2/callback?code=x&state=${encodeURIComponent(tampered)}`)
      expect(staysHere(answer.headers.get('location') ?? '/'), lure).toBe(true)
      expect(await answer.text()).not.toContain('evil.example"')
    }
  })
})

test('a route that redirects leads to no other host, whatever its path begins with', async () => {
  const from = platformFiles()
  writeFileSync(
    join(from, 'moved.yaml'),
    `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: moved, namespace: kubeflow }
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
    - match: [{ uri: { prefix: /old/ } }]
      redirect: { prefixRewrite: / }
    - match: [{ uri: { regex: "//.*" } }]
      directResponse: { status: 201 }
`,
  )
  const chain = await attackWorld({ from })
  const { cookie } = await chain.signIn()
  for (const path of [
    '/old//evil.example/x',
    '/old///evil.example',
    '/old/\\\\evil.example',
    '//evil.example/x',
    '/\\evil.example',
  ]) {
    const answer = await chain.ask(path, { headers: [`Cookie: ${cookie}`] })
    const location = answer.header('location')
    if (location === undefined) continue
    expect(URL.parse(location, chain.origin)?.origin, `${path} → ${location}`).toBe(chain.origin)
  }
  expect((await chain.ask('/old/x?y', { headers: [`Cookie: ${cookie}`] })).header('location')).toBe('/x?y')
  await chain.close()
})

describe('an unregistered redirect_uri is answered by a page, never followed', () => {
  const atRealm = (uri: string, more: Record<string, string> = {}) =>
    `/auth/realms/platform/protocol/openid-connect/auth?${new URLSearchParams({
      ...{ client_id: 'notes', response_type: 'code', scope: 'openid', code_challenge: 'a'.repeat(43) },
      ...{ code_challenge_method: 'S256', redirect_uri: uri, state: 's', ...more },
    })}`
  const atBroker = (uri: string, more: Record<string, string> = {}) =>
    `/dex/auth/keycloak?${new URLSearchParams({
      ...{
        client_id: 'gatehouse-proxy',
        response_type: 'code',
        scope: 'openid',
        redirect_uri: uri,
        state: 's',
        ...more,
      },
    })}`

  /** The registered URI with something done to it. */
  const variants = (registered: string) => [
    ...allLures(),
    `${registered}/`,
    `${registered}x`,
    `${registered}?code=x`,
    `${registered}#x`,
    `${registered}/../x`,
    `${registered}%2f..%2fx`,
    `${registered} `,
    ` ${registered}`,
    `${registered}\u0000`,
    registered.replace('callback', 'CALLBACK'),
    registered.replace('callback', '%63allback'),
    registered.replace('/callback', '//callback'),
    registered.replace('/callback', '/./callback'),
    registered.replace('/callback', '/x/../callback'),
    registered.replace('callback', '*'),
    registered.replace('http://localhost', 'http://localhost.evil.example'),
    registered.replace('http://localhost', 'http://LOCALHOST'),
    registered.replace('http://localhost', 'http://127.0.0.1'),
    registered.replace('http://', 'http://evil@'),
    registered.replace('http:', 'https:'),
    registered.replace(/:\d+/, ':1'),
    encodeURIComponent(registered),
  ]

  test('at the realm', async () => {
    const registered = `${world.origin}/notes/callback`
    expect((await world.ask(atRealm(registered))).status).toBe(200)
    for (const uri of variants(registered)) {
      for (const more of [
        {},
        { prompt: 'none' },
        { response_mode: 'form_post' },
        { scope: 'nonsense' },
        { response_type: 'token' },
      ] as const) {
        const answer = await world.ask(atRealm(uri, more))
        expect([uri, more, answer.status]).toEqual([uri, more, 400])
        expectNoWayOut(answer, uri)
      }
    }
  })

  test('at the broker', async () => {
    const registered = '/oauth2/callback'
    expect((await world.ask(atBroker(registered))).status).toBe(302)
    // Dex decodes the parameter twice, so the registered text, encoded once more, is the registered text.
    for (const uri of variants(registered).filter(
      (one) => one !== encodeURIComponent(registered) && one !== registered,
    )) {
      for (const more of [{}, { scope: 'nonsense' }, { response_type: 'token' }, { request: 'x' }] as const) {
        if (uri === registered.replace('callback', '%63allback')) continue // likewise
        const answer = await world.ask(atBroker(uri, more))
        expect([uri, more, answer.status]).toEqual([uri, more, 400])
        expectNoWayOut(answer, uri)
      }
    }
  })

  test('two of them are not one that is registered', async () => {
    const evil = `&redirect_uri=${encodeURIComponent('https://evil.example/')}`
    for (const target of [
      atRealm(`${world.origin}/notes/callback`) + evil,
      atBroker('/oauth2/callback') + evil,
      `${atRealm('https://evil.example/')}&redirect_uri=${encodeURIComponent(`${world.origin}/notes/callback`)}`,
      `${atBroker('https://evil.example/')}&redirect_uri=%2Foauth2%2Fcallback`,
    ]) {
      expectNoWayOut(await world.ask(target), target)
    }
  })
})

describe('an unregistered post_logout_redirect_uri is not followed', () => {
  test('at the realm and at the broker, with a session and without', async () => {
    const { browser } = await world.signIn()
    const cookies = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
    const uris = [
      ...allLures(),
      `${world.origin}/`,
      `${world.origin}/notes/../x`,
      `${world.origin}/notes/%2e%2e/x`,
      `${world.origin}/notes/..%2fx`,
    ]
    for (const uri of uris) {
      for (const [path, client] of [
        ['/auth/realms/platform/protocol/openid-connect/logout', 'notes'],
        ['/dex/logout', 'gatehouse-proxy'],
      ] as const) {
        for (const headers of [[], [`Cookie: ${cookies}`]]) {
          const query = new URLSearchParams({
            client_id: client,
            post_logout_redirect_uri: uri,
            state: 'https://evil.example',
          })
          const answer = await world.ask(`${path}?${query}`, { headers })
          expectNoWayOut(answer, `${path} ${uri}`)
          expect(answer.status, uri).not.toBe(302)
        }
      }
    }
  })

  test('nor is one in a state that is none of ours, at the end of a sign-out', async () => {
    for (const lure of allLures()) {
      for (const path of ['/dex/logout/callback', '/oauth2/signed_out', '/oauth2/callback', '/notes/signed-out']) {
        expectNoWayOut(await world.ask(`${path}?state=${encodeURIComponent(lure)}`), `${path} ${lure}`)
      }
    }
  })
})

describe('who names another host is told nothing of it', () => {
  const poison = [
    (path: string) => world.ask(path, { host: 'evil.example' }),
    (path: string) => world.ask(path, { host: 'evil.example:80' }),
    (path: string) => world.ask(path, { host: `${world.host}.evil.example` }),
    (path: string) => world.ask(path, { headers: ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https'] }),
    (path: string) =>
      world.ask(path, { headers: ['Forwarded: host=evil.example;proto=https', 'X-Host: evil.example'] }),
    (path: string) =>
      world.ask(path, { headers: ['X-Forwarded-Server: evil.example', 'X-HTTP-Host-Override: evil.example'] }),
    (path: string) => world.ask(`http://evil.example${path}`),
  ]

  test.each([
    '/',
    '/echo/deep?x=1',
    '/oauth2/start?rd=/echo/',
    '/oauth2/sign_out',
    '/oauth2/signed_out',
    '/oauth2/callback?code=x&state=y',
    '/dex/',
    '/dex/.well-known/openid-configuration',
    '/dex/auth?client_id=gatehouse-proxy&redirect_uri=%2Foauth2%2Fcallback&response_type=code&scope=openid',
    '/dex/auth/keycloak?client_id=gatehouse-proxy&redirect_uri=%2Foauth2%2Fcallback&response_type=code&scope=openid',
    '/dex/nothing',
    '/auth/',
    '/auth/realms/platform',
    '/auth/realms/platform/.well-known/openid-configuration',
    '/auth/realms/platform/protocol/openid-connect/logout',
    '/auth/realms/nothing',
    '/notes/',
    '/notes/callback?code=x&state=y',
    '/gatehouse/signed-out',
    '/gatehouse/nothing',
  ])('in no link, redirect, cookie or issuer of %s', async (path) => {
    for (const send of poison) {
      const { text, status } = await send(path)
      expect(status).toBeGreaterThanOrEqual(200)
      expect(status).toBeLessThan(500)
      expect(text).not.toContain('evil.example')
    }
  })

  test('nor in the tokens a client gets', async () => {
    const browser = world.newBrowser()
    const redirectUri = `${world.origin}/notes/callback`
    const query = new URLSearchParams({
      ...{ client_id: 'notes', response_type: 'code', scope: 'openid', redirect_uri: redirectUri },
      ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' },
    })
    const url = `/auth/realms/platform/protocol/openid-connect/auth?${query}`
    const refused = await world.ask(url, { host: 'evil.example' })
    expect(refused.header('location')).toMatch(new RegExp(`^${redirectUri}\\?error=invalid_request`)) // PKCE plain
    const s256 = url.replace('plain', 'S256')
    const back = await authorize(world, browser, { url: s256, redirectUri })
    expect(back.searchParams.get('iss')).toBe(`${world.origin}/auth/realms/platform`)
  })
})
