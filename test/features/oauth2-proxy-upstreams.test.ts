import { rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { selfSignedCertificate } from '../world/certificate.ts'
import { ada, closeAll, cookieOf, keep, openApp, startProgram, upstreamWorld } from './oauth2-proxy-upstreams-world.ts'
import { programDirectory } from './oauth2-proxy-world.ts'

afterEach(closeAll)

async function started(flags: readonly string[] = []) {
  const app = keep(await openApp())
  const world = keep(await upstreamWorld([`http://127.0.0.1:${app.port}`], flags))
  return { ...world, app }
}

const cookie = cookieOf()

test('who is signed in reaches the app, which knows who it is', async () => {
  const { ask, app } = await started()
  const answer = await ask('/notes?a=1', { headers: { cookie: `${cookie}; theme=dark`, host: 'app.example' } })
  expect(answer).toMatchObject({ status: 200, text: 'ok', headers: { 'gap-auth': 'ada@example.com' } })
  expect(app.heard).toEqual([
    {
      method: 'GET',
      url: '/notes?a=1',
      body: '',
      headers: {
        host: 'app.example',
        connection: 'keep-alive',
        cookie: 'theme=dark',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': 'app.example',
        'x-forwarded-proto': 'http',
        'x-forwarded-user': 'u-1',
        'x-forwarded-email': 'ada@example.com',
        'x-forwarded-groups': 'math,engines',
        'x-forwarded-preferred-username': 'ada',
      },
    },
  ])
})

test('an app’s own `/logout` is the app’s, though dashboards we only answer for sign out there', async () => {
  const { ask, app } = await started()
  for (const path of ['/logout', '/authservice/logout']) await ask(path, { headers: { cookie } })
  expect(app.heard.map(({ url }) => url)).toEqual(['/logout', '/authservice/logout'])
  expect((await ask('/oauth2/sign_out', { headers: { cookie } })).status).toBe(302)
  expect((await ask('/logout')).status).toBe(403)
})

test('who is not signed in does not reach the app', async () => {
  const { ask, app } = await started()
  expect((await ask('/notes')).status).toBe(403)
  expect(app.heard).toEqual([])
})

describe('what a client says of itself', () => {
  const lies = {
    X_Forwarded_User: 'admin',
    'x-forwarded_email': 'admin@example.com',
    'X-Forwarded-Groups': 'admins',
    'X-Auth-Request-User': 'admin',
    'X.Auth.Request.Email': 'admin@example.com',
    'X-Forwarded-Access-Token': 'stolen',
    'kubeflow-userid': 'admin@example.com',
  }
  const identityOf = (headers: object) =>
    Object.entries(headers).filter(([name]) => /user|email|groups|token/i.test(name.replaceAll('_', '-')))

  test('never reaches the app as an identity header, in whatever spelling', async () => {
    const { ask, app } = await started()
    await ask('/', { headers: { ...lies, cookie } })
    await ask('/open/x', { headers: lies })
    const [signedIn, nobody] = app.heard.map(({ headers }) => identityOf(headers))
    expect(signedIn).toEqual([
      ['x-forwarded-groups', 'math,engines'],
      ['x-forwarded-user', 'u-1'],
      ['x-forwarded-email', 'ada@example.com'],
      ['x-forwarded-preferred-username', 'ada'],
    ])
    expect(nobody).toEqual([])
  })

  test('does, with --compat and skip_auth_strip_headers=false, before ours as in oauth2-proxy', async () => {
    const { ask, app } = await started(['--compat', '--skip-auth-strip-headers=false'])
    await ask('/', { headers: { 'x-forwarded-user': 'admin', cookie } })
    expect(app.heard[0]?.headers).toMatchObject({ 'x-forwarded-user': 'admin,u-1', cookie })
    expect(app.heard[0]?.headers).not.toHaveProperty('x-forwarded-host')
  })

  test('does not without --compat, whatever skip_auth_strip_headers says', async () => {
    const { ask, app, end } = await started(['--skip-auth-strip-headers=false'])
    await ask('/', { headers: { 'x-forwarded-user': 'admin', cookie } })
    expect(app.heard[0]?.headers).toMatchObject({ 'x-forwarded-user': 'u-1' })
    expect(await end()).toContain('skip-auth-strip-headers: is false, but identity headers')
  })

  test('cannot name our headers away in Connection', async () => {
    const { ask, app } = await started(['--pass-authorization-header', '--pass-basic-auth=false'])
    const connection = 'close, X-Forwarded-User, Authorization, X-Forwarded-For, X-Trace'
    const session = { ...ada, idToken: 'e30.e30.e30' }
    await ask('/', {
      headers: { connection, cookie: cookieOf(session), 'x-trace': '1', 'keep-alive': '5', te: 'gzip' },
    })
    const { headers } = app.heard[0] ?? { headers: {} }
    expect(headers).toMatchObject({ 'x-forwarded-user': 'u-1', authorization: 'Bearer e30.e30.e30' })
    for (const name of ['x-trace', 'keep-alive', 'te']) expect(headers).not.toHaveProperty(name)
  })

  test('is its own Authorization, unless we have one to send', async () => {
    const { ask, app } = await started(['--basic-auth-password=shh'])
    await ask('/', { headers: { cookie, authorization: 'Bearer app' } })
    await ask('/open', { headers: { authorization: 'Bearer app', x_authorization: '1' } })
    const basic = `Basic ${Buffer.from('u-1:shh').toString('base64')}`
    expect(app.heard.map(({ headers }) => headers.authorization)).toEqual([basic, undefined])
    const plain = await started()
    await plain.ask('/open', { headers: { authorization: 'Bearer app' } })
    expect(plain.app.heard[0]?.headers.authorization).toBe('Bearer app')
  })

  test('is not an access token of ours, which opens more than this app', async () => {
    const { ask, app } = await started()
    for (const authorization of ['Bearer gha_1', `Basic ${Buffer.from('git:gha_1').toString('base64')}`])
      await ask('/open', { headers: { authorization } })
    expect(app.heard.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test('about where it comes from counts only from a trusted proxy', async () => {
    const told = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'public.example', forwarded: 'for=1.2.3.4' }
    const untrusted = await started()
    await untrusted.ask('/open', { headers: { ...told, 'x-forwarded-for': '1.2.3.4', host: 'app.example' } })
    expect(untrusted.app.heard[0]?.headers).toEqual({
      ...{ host: 'app.example', connection: 'keep-alive', 'x-forwarded-for': '1.2.3.4, 127.0.0.1' },
      ...{ 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'http' },
    })
    const byTls = await started(['--redirect-url=https://app.example/oauth2/callback'])
    await byTls.ask('/open')
    expect(byTls.app.heard[0]?.headers['x-forwarded-proto']).toBe('https')
    const trusted = await started(['--reverse-proxy', '--trusted-proxy-ip=127.0.0.1'])
    await trusted.ask('/open', { headers: told })
    expect(trusted.app.heard[0]?.headers).toMatchObject(told)
  })
})

describe('where a request goes', () => {
  async function several() {
    const [root, notes, exact] = [keep(await openApp()), keep(await openApp()), keep(await openApp())]
    const origin = (port: number, path: string) => `http://127.0.0.1:${port}${path}`
    const world = keep(
      await upstreamWorld(
        [origin(notes.port, '/notes/'), origin(exact.port, '/notes/only'), origin(root.port, '/open/')],
        ['--skip-auth-route=^/'],
      ),
    )
    const names = new Map([
      [root, 'root'],
      [notes, 'notes'],
      [exact, 'exact'],
    ])
    const whoHears = async (path: string) => {
      const { status, headers } = await world.ask(path)
      const found = [...names].find(([app]) => app.heard.length > 0)
      const url = found?.[0].heard.splice(0)[0]?.url
      return found ? `${found[1]} ${url}` : `${status} ${headers.location ?? ''}`.trim()
    }
    return { whoHears }
  }

  test('is the longest path: a prefix where it ends in a slash, else exact', async () => {
    const { whoHears } = await several()
    expect(await whoHears('/notes/x?q=/open/')).toBe('notes /notes/x?q=/open/')
    expect(await whoHears('/notes/only')).toBe('exact /notes/only')
    expect(await whoHears('/notes/only/')).toBe('notes /notes/only/')
    expect(await whoHears('/open/')).toBe('root /open/')
    expect(await whoHears('/other')).toBe('404')
  })

  test('is told where only the last slash is missing, the query kept', async () => {
    const { whoHears } = await several()
    expect(await whoHears('/notes')).toBe('301 /notes/')
    expect(await whoHears('/notes?a=1')).toBe('301 /notes/?a=1')
  })

  test('is told where the path is not clean, escapes kept', async () => {
    const { whoHears } = await several()
    expect(await whoHears('/notes//x?a=//b')).toBe('301 /notes/x?a=//b')
    expect(await whoHears('/notes/a%20b/./x')).toBe('301 /notes/a%20b/x')
    expect(await whoHears('//evil.example/..')).toBe('301 /')
    expect(await whoHears('/notes/a%20b')).toBe('notes /notes/a%20b')
  })
})

test('the alpha file rewrites, keeps paths raw and injects headers of any claim', async () => {
  const app = keep(await openApp())
  const directory = programDirectory()
  const alpha = join(directory, 'alpha.yaml')
  const uri = `http://127.0.0.1:${app.port}/ignored`
  writeFileSync(
    alpha,
    `server: { bindAddress: 127.0.0.1:0 }
upstreamConfig:
  proxyRawPath: true
  upstreams:
    - { id: files, path: '^/files/(.*)$', rewriteTarget: '/data/$1?by=proxy', uri: '${uri}', passHostHeader: false }
    - { id: rest, path: /, uri: '${uri}' }
injectRequestHeaders:
  - { name: X-Department, values: [{ claimSource: { claim: department, prefix: 'dep:' } }] }
  - { name: X-Team, preserveRequestValue: true, values: [{ secretSource: { value: ours } }] }
  - { name: Authorization, values: [{ claimSource: { claim: email, basicAuthPassword: { value: shh } } }] }
injectResponseHeaders:
  - { name: X-Who, values: [{ claimSource: { claim: email } }] }
providers:
  - id: sso
    provider: oidc
    clientID: id
    clientSecret: shh
    oidcConfig: { issuerURL: 'http://127.0.0.1:1/dex' }
`,
  )
  const plain = ['--cookie-secret=0123456789abcdef0123456789abcdef', '--email-domain=*', '--redirect-url=http://a/cb']
  const { ask } = keep(await startProgram([`--alpha-config=${alpha}`], { directory, plain }))
  const session = { ...ada, additionalClaims: { department: 'engines' } }
  const headers = { cookie: cookieOf(session), 'x-department': 'boss', 'x-team': 'theirs', host: 'app.example' }
  const answer = await ask('/files/a%20b?z=1', { headers })
  expect(answer).toMatchObject({ status: 200, headers: { 'x-who': 'ada@example.com' } })
  await ask('/a%2F..%2Fb/%2F', { headers })
  expect(app.heard.map(({ url }) => url)).toEqual(['/data/a%20b?by=proxy&z=1', '/a%2F..%2Fb/%2F'])
  expect(app.heard.map((one) => one.headers.host)).toEqual([`127.0.0.1:${app.port}`, 'app.example'])
  expect(app.heard[0]?.headers).toMatchObject({
    'x-department': 'dep:engines',
    'x-team': 'theirs,ours',
    authorization: `Basic ${Buffer.from('ada@example.com:shh').toString('base64')}`,
  })
  expect((await ask('/files/..%2f..%2fetc', { headers })).status).toBe(400)
})

test('an app that is down is a page with the request id, and its headers are those of every answer', async () => {
  const { ask, end } = keep(await upstreamWorld(['http://127.0.0.1:1/'], ['--request-id-header=X-Trace']))
  const answer = await ask('/', { headers: { cookie, 'x-trace': 't-1' } })
  expect(answer).toMatchObject({ status: 502, headers: { 'gap-auth': 'ada@example.com' } })
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(answer.text).toContain('problem connecting to the upstream server')
  expect(answer.text).toContain('t-1')
  expect(await end()).toMatch(/ - t-1 - .* GET \/ "\/" HTTP\/1\.1 .* 502 \d+ /)
})

test('an app that does not begin to answer in time is given up', async () => {
  const app = keep(await openApp(() => {}))
  const { ask } = keep(await upstreamWorld([`http://127.0.0.1:${app.port}`], ['--upstream-timeout=50ms']))
  expect((await ask('/open')).status).toBe(502)
})

test.each([
  [
    'upstream with a pattern that is none',
    "{ id: a, path: '^(', rewriteTarget: /, uri: 'http://a' }",
    'invalid path `^(`',
  ],
  ['upstream without a host', "{ id: a, path: /, uri: 'http://' }", 'has invalid uri: `http://`'],
  ['upstream of another kind', "{ id: a, path: /, uri: 'ftp://a/' }", 'has invalid scheme: `ftp`'],
])('an %s is refused at the start', async (_what, upstream, message) => {
  const directory = programDirectory()
  const alpha = join(directory, 'alpha.yaml')
  const provider = "{ id: a, provider: oidc, clientID: a, clientSecret: a, oidcConfig: { issuerURL: 'http://a/' } }"
  writeFileSync(alpha, `upstreamConfig: { upstreams: [${upstream}] }\nproviders: [${provider}]\n`)
  const plain = ['--cookie-secret=0123456789abcdef0123456789abcdef', '--email-domain=*']
  await expect(startProgram([`--alpha-config=${alpha}`], { directory, plain })).rejects.toThrow(message)
  rmSync(directory, { recursive: true })
})

test('an app behind a Unix socket', async () => {
  const socket = join(programDirectory(), 'app.sock')
  const app = keep(await openApp(undefined, socket))
  const { ask } = keep(await upstreamWorld([`unix://${socket}`]))
  expect(await ask('/open/a?b', { headers: { host: 'app.example' } })).toMatchObject({ status: 200, text: 'ok' })
  expect(app.heard[0]).toMatchObject({ url: '/open/a?b', headers: { host: 'app.example' } })
})

test('an app by TLS is believed by its name alone, or blindly where that is asked for', async () => {
  const { cert, key } = selfSignedCertificate()
  const names: unknown[] = []
  let connections = 0
  const server = createTlsServer({ cert, key }, (asked, response) => {
    names.push(asked.headers.host)
    response.end('secret')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  keep({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) })
  server.on('secureConnection', () => {
    connections += 1
  })
  const upstream = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const strict = keep(await upstreamWorld([upstream]))
  expect((await strict.ask('/open')).status).toBe(502)
  const blind = keep(await upstreamWorld([upstream], ['--ssl-upstream-insecure-skip-verify']))
  expect(await blind.ask('/open', { headers: { host: 'app.example' } })).toMatchObject({ status: 200, text: 'secret' })
  await blind.ask('/open', { headers: { host: 'other.example' } })
  expect([names, connections]).toEqual([['app.example', 'other.example'], 1])
  server.closeAllConnections()
})

test('a path with a broken escape, or a request with two hosts, reaches nobody', async () => {
  const { ask, app, running } = await started(['--skip-auth-regex=.*'])
  expect((await ask('/%zz', { headers: { cookie } })).status).toBe(400)
  const status = await new Promise((resolve) => {
    const headers = ['Host', 'a.example', 'Host', 'b.example', 'Cookie', cookie]
    const sent = request({ port: running.ports.plain, path: '/', headers, setHost: false, agent: false })
    sent.on('response', ({ statusCode }) => resolve(statusCode)).end()
  })
  expect(status).toBe(400)
  expect(app.heard).toEqual([])
})

test.each([
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/..%2fadmin',
  '/public//../admin',
  '/public/%2e%2e%2fadmin',
  '/public/..;/admin',
  '/public\\..\\admin',
])('%s is no way around the sign-in', async (path) => {
  const { ask, app } = await started(['--skip-auth-route=^/public/'])
  expect((await ask('/public/x')).status).toBe(200)
  const answer = await ask(path)
  expect([301, 403]).toContain(answer.status)
  if (answer.status === 301) expect((await ask(String(answer.headers.location))).status).toBe(403)
  expect(app.heard.map(({ url }) => url)).toEqual(['/public/x'])
})

test('static upstreams stand beside real ones', async () => {
  const app = keep(await openApp())
  const upstreams = ['static://202', `http://127.0.0.1:${app.port}/app/`]
  const { ask } = keep(await upstreamWorld(upstreams, ['--skip-auth-route=^/']))
  expect(await ask('/x')).toMatchObject({ status: 202, text: 'Authenticated' })
  expect(await ask('/app/')).toMatchObject({ status: 200, text: 'ok' })
})
