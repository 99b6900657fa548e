import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningCommand, runGatehouse } from '../world/command.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { ada, platformFiles, proxyClient } from '../world/platform-files.ts'

const wiki = {
  id: 'wiki',
  secret: 'canary-client-secret-Yt7mQ2rHc9Jw',
  redirectUri: 'https://wiki.example/login',
  signedOutUri: 'https://wiki.example/bye',
}
const cookieSecret = 'canary-cookie-secret-32-bytes-ab'
const realm = '/auth/realms/platform/protocol/openid-connect'

let command: RunningCommand
let origin: string
let data: string
/** Everything that must appear nowhere, by what it is. */
const secrets = new Map<string, string>([
  ['password', ada.password],
  ['client secret', wiki.secret],
  ['proxy client secret', proxyClient.secret],
  ['cookie secret', cookieSecret],
])

beforeAll(async () => {
  const from = platformFiles({ relyingParties: [wiki], proxySettings: [`cookie_secret = "${cookieSecret}"`] })
  data = join(mkdtempSync(join(tmpdir(), 'gatehouse-secrets-')), 'state')
  command = runGatehouse('up', '--port', '0', '--data', data, '--from', from, '--log-level', 'debug')
  const [, url = ''] = await command.until(/Open\s+(http:\/\/\S+?)\/\s/)
  origin = url
  await misbehave()
  await behave()
})
afterAll(async () => {
  command.process.kill('SIGTERM')
  await command.ended()
})

const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  httpClient().send(`${origin}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers })

/** Every place that takes a secret is given a canary, in a request that fails. */
async function misbehave(): Promise<void> {
  for (const kind of ['password', 'secret', 'token', 'code', 'cookie', 'state', 'query']) {
    secrets.set(`canary ${kind}`, `canary-wrong-${kind}-1q2w3e4r`)
  }
  const canary = (kind: string) => secrets.get(`canary ${kind}`) ?? ''
  const browser = httpClient()
  const page = await browser.follow(`${origin}/echo/`)
  await browser.submit(page, { username: 'ada', password: canary('password') })
  await browser.submit(page, { username: canary('password'), password: canary('password') }) // typed into the wrong field
  for (const base of [realm, '/dex']) {
    await post(`${base}/token`, {
      grant_type: 'authorization_code',
      code: canary('code'),
      client_id: wiki.id,
      client_secret: wiki.secret,
    })
    await post(`${base}/token`, {
      grant_type: 'authorization_code',
      code: canary('code'),
      client_id: wiki.id,
      client_secret: canary('secret'),
    })
    await post(`${base}/token`, {
      grant_type: 'refresh_token',
      refresh_token: canary('token'),
      client_id: wiki.id,
      client_secret: wiki.secret,
    })
    await post(`${base}/token`, {
      grant_type: 'password',
      username: 'ada',
      password: canary('password'),
      client_id: wiki.id,
      client_secret: wiki.secret,
    })
    await post(
      `${base}/token`,
      { grant_type: canary('token') },
      { authorization: `Basic ${btoa(`wiki:${canary('secret')}`)}` },
    )
    await post(`${base}/token/introspect`, {
      token: canary('token'),
      client_id: wiki.id,
      client_secret: canary('secret'),
    })
    await httpClient().send(`${origin}${base}/userinfo`, { headers: { authorization: `Bearer ${canary('token')}` } })
    await httpClient().follow(`${origin}${base}/logout?id_token_hint=${canary('token')}&state=${canary('state')}`)
  }
  await post(`${realm}/revoke`, { token: canary('token'), client_id: wiki.id, client_secret: wiki.secret })
  for (const path of ['/echo/', '/', '/dex/', '/oauth2/userinfo', '/notes/']) {
    await httpClient().send(`${origin}${path}?access_token=${canary('query')}&code=${canary('query')}`, {
      headers: {
        authorization: `Bearer ${canary('token')}`,
        cookie: `_oauth2_proxy=${canary('cookie')}; KEYCLOAK_IDENTITY=${canary('cookie')}; dex_session=${canary('cookie')}`,
        'x-request-id': canary('query'),
      },
    })
  }
  for (const path of ['/oauth2/callback', '/dex/callback']) {
    await httpClient().follow(`${origin}${path}?code=${canary('code')}&state=${canary('state')}`)
    await httpClient().follow(
      `${origin}${path}?error=${canary('state')}&error_description=${canary('state')}&state=${'a'.repeat(43)}:/`,
    )
  }
  await misbehaveAsProgram()
  await breakOff()
}

/** The same where programs ask, and where sessions are ended from elsewhere. */
async function misbehaveAsProgram(): Promise<void> {
  const token = `gha_${'canaryProgramTokenOfNobody'.padEnd(42, 'x')}A`
  secrets.set('canary program token', token)
  const canary = secrets.get('canary token') ?? ''
  const password = Buffer.from(`git:${token}`).toString('base64')
  secrets.set('canary program password', password)
  for (const headers of [
    { authorization: `Bearer ${token}` },
    { authorization: `Basic ${password}` },
    { cookie: `_oauth2_proxy=${token}` },
  ]) {
    for (const path of [
      '/echo/',
      '/oauth2/tokens',
      '/oauth2/userinfo',
      '/oauth2/auth',
      '/oauth2/sign_out',
      '/dex/userinfo',
    ]) {
      await httpClient().send(`${origin}${path}`, { headers })
    }
  }
  for (const path of ['/oauth2/backchannel-logout', '/dex/backchannel-logout/keycloak', '/notes/backchannel-logout']) {
    await post(path, { logout_token: canary })
    await post(path, {
      logout_token: `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ iss: canary, jti: canary })).toString('base64url')}.${canary}`,
    })
  }
  await post('/oauth2/device_token', { device_code: canary })
  await post('/oauth2/device', { request: canary, answer: 'allow' })
  await post('/oauth2/device_authorization', { label: 'x', path: canary, days: canary })
  await post('/oauth2/tokens', { revoke: canary, label: canary })
  await post('/oauth2/sign_in', {
    username: secrets.get('canary password') ?? '',
    password: secrets.get('canary password') ?? '',
  })
}

/** A client that goes away in the middle of a form with a secret in it. */
async function breakOff(): Promise<void> {
  const { port, host } = new URL(origin)
  for (const path of [`${realm}/token`, '/dex/token', '/oauth2/sign_out']) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), 'localhost', () => {
        socket.write(
          `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\nclient_secret=${wiki.secret}`,
          () => socket.destroy(),
        )
      })
      socket.on('close', () => resolve())
    })
  }
}

/** A sign-in through every part, its codes and tokens noted as secrets; then a sign-out. */
async function behave(): Promise<void> {
  const note = (kind: string, value: unknown) => {
    if (typeof value === 'string' && value.length > 15) secrets.set(`${kind} ${secrets.size}`, value)
  }
  const browser = httpClient()
  const page = await browser.follow(`${origin}/echo/`)
  const landed = await browser.submit(page, { username: 'ada', password: ada.password })
  for (const hop of [...page.hops, ...landed.hops]) {
    for (const [name, value] of new URL(hop).searchParams) {
      if (['code', 'session_code', 'id_token_hint'].includes(name)) note(name, value)
    }
  }
  for (const base of [realm, '/dex']) {
    const tokens = await tokensAt(base, browser)
    for (const [name, value] of Object.entries(tokens)) if (name.endsWith('token')) note(name, value)
  }
  await behaveAsProgram(browser, note)
  for (const { name, value } of browser.cookies.values()) note(`cookie ${name}`, value)
  const end = await browser.follow(`${origin}/oauth2/sign_out`)
  for (const hop of end.hops) note('id_token_hint', new URL(hop).searchParams.get('id_token_hint'))
}

/** A program's sign-in, its token in use and revoked. */
async function behaveAsProgram(browser: HttpClient, note: (kind: string, value: unknown) => void): Promise<void> {
  const began = await post('/oauth2/device_authorization', { label: 'laptop', path: '/echo' })
  const { device_code = '', verification_uri = '' } = (await began.json()) as Record<string, string>
  note('device code', device_code)
  const request = new URL(verification_uri).searchParams.get('request') ?? ''
  note('device link', request)
  const headers = { 'sec-fetch-site': 'same-origin' }
  const body = new URLSearchParams({ request, answer: 'allow' })
  const allowed = await browser.follow(`${origin}/oauth2/device`, { method: 'POST', body, headers })
  expect(allowed.text).toContain('Go back to your terminal')
  const redeemed = await post('/oauth2/device_token', { device_code })
  const { access_token: token = '', token_id: revoke = '' } = (await redeemed.json()) as Record<string, string>
  note('program token', token)
  const cookie = `_oauth2_proxy=${token}`
  for (const sent of [{ authorization: `Bearer ${token}` }, { cookie }]) {
    expect((await httpClient().send(`${origin}/echo/`, { headers: sent })).status).toBe(200)
    await httpClient().send(`${origin}/notes/?token=${token}`, { headers: sent })
  }
  await post('/oauth2/tokens', { revoke }, { cookie })
  expect((await httpClient().send(`${origin}/echo/`, { headers: { cookie } })).status).toBe(401)
}

async function tokensAt(base: string, browser: HttpClient): Promise<Record<string, unknown>> {
  const scope = base === '/dex' ? 'openid offline_access' : 'openid'
  const query = new URLSearchParams({
    client_id: wiki.id,
    redirect_uri: wiki.redirectUri,
    response_type: 'code',
    scope,
  })
  let location = `${origin}${base}/auth?${query}`
  while (!location.startsWith(wiki.redirectUri)) {
    const answer = await browser.send(location)
    const next = answer.headers.get('location')
    if (next !== null) location = new URL(next, location).href
    else {
      const action = /action="([^"]*)"/.exec(await answer.text())?.[1]?.replaceAll('&amp;', '&') ?? ''
      const posted = await browser.send(action, {
        method: 'POST',
        body: new URLSearchParams({ username: 'ada', password: ada.password }),
      })
      location = posted.headers.get('location') ?? ''
    }
  }
  const code = new URL(location).searchParams.get('code') ?? ''
  secrets.set(`code of ${base}`, code)
  const client = { client_id: wiki.id, client_secret: wiki.secret, redirect_uri: wiki.redirectUri }
  const answer = await post(`${base}/token`, { grant_type: 'authorization_code', code, ...client })
  return (await answer.json()) as Record<string, unknown>
}

/** The names of the secrets a text holds, whole or by its telling half. */
function leaksIn(text: string): string[] {
  return [...secrets].filter(([, value]) => text.includes(value)).map(([name]) => name)
}

test('nothing that is printed or logged, at the most talkative level, holds a secret', async () => {
  await command.until(/"message":"signed out"/)
  expect(secrets.size).toBeGreaterThan(25)
  expect(leaksIn(command.text())).toEqual([])
  // signatures of tokens are what makes them worth anything
  const signatures = [...secrets.values()].filter((value) => /^ey/.test(value)).map((value) => value.slice(-40))
  for (const signature of signatures) expect(command.text()).not.toContain(signature)
})

test('nor is anything that a stranger can do an error of ours', () => {
  const errors = command
    .text()
    .split('\n')
    .filter((line) => line.includes('"level":"error"'))
  expect(errors).toEqual([])
})

test('the log does say who signed in, who was refused, and why', () => {
  const messages = command.text().match(/"message":"[^"]*"/g) ?? []
  for (const message of ['signed in', 'sign-in refused', 'token refused', 'signed out']) {
    expect(messages).toContain(`"message":"${message}"`)
  }
})

describe('at rest', () => {
  const files = () => readdirSync(data).map((name) => join(data, name))

  test('only the owner reads the files, and the directory', () => {
    expect(statSync(data).mode & 0o777).toBe(0o700)
    expect(files().length).toBeGreaterThanOrEqual(2)
    for (const file of files()) expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600])
  })

  test('no password, code, cookie or token is in the database', () => {
    const bytes = files()
      .filter((file) => file.includes('gatehouse.db'))
      .map((file) => readFileSync(file, 'latin1'))
      .join('')
    const mayBeThere = ['client secret', 'proxy client secret'] // clients authenticate with them
    expect(leaksIn(bytes).filter((name) => !mayBeThere.includes(name))).toEqual([])
  })
})

test('the files stay private under the widest umask, in a directory that others may read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-umask-'))
  chmodSync(directory, 0o755)
  const before = process.umask(0)
  const running = runGatehouse('up', '--port', '0', '--data', directory)
  process.umask(before)
  await running.until(/ready/)
  const names = readdirSync(directory)
  expect(names.length).toBeGreaterThanOrEqual(2)
  for (const name of names) expect([name, statSync(join(directory, name)).mode & 0o077]).toEqual([name, 0])
  running.process.kill('SIGTERM')
  await running.ended()
})

test.each([
  ['a cookie secret of the wrong length', 'cookie_secret = "canary-short"', 'canary-short'],
  ['a client secret that differs from the broker’s', `client_secret = "canary-other-secret"`, 'canary-other-secret'],
])('a problem with a secret is told without it: %s', async (_, line, canary) => {
  const from = platformFiles()
  const file = join(from, 'oauth2_proxy.cfg')
  const key = line.slice(0, line.indexOf(' ='))
  const others = readFileSync(file, 'utf8')
    .split('\n')
    .filter((one) => !one.startsWith(`${key} =`))
  writeFileSync(file, [line, ...others].join('\n'))
  const failing = runGatehouse('up', '--port', '0', '--data', mkdtempSync(join(tmpdir(), 'gatehouse-')), '--from', from)
  expect(await failing.ended()).not.toBe(0)
  expect(failing.text()).toContain('oauth2_proxy.cfg:1:')
  expect(failing.text()).not.toContain(canary)
  expect(failing.text()).not.toContain(proxyClient.secret)
})
