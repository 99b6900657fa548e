import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/app/open-gatehouse.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import {
  type AskOptions,
  type AttackWorld,
  attackWorld,
  authorize,
  form,
  redeem,
  type WireAnswer,
} from './attacks-world.ts'

const publicUrl = 'https://platform.example.com'
const refusal = 'Invalid username or password.'

let world: AttackWorld
beforeAll(async () => {
  world = await attackWorld({ publicUrl })
})
afterAll(() => world.close())

/** The action of a fresh login form, and the cookie it belongs to. */
async function loginForm(chain = world): Promise<{ action: string; cookie: string }> {
  const browser = chain.newBrowser()
  const page = await browser.follow(`${chain.origin}/echo/`)
  const action = /action="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const cookie = [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  const { pathname, search } = new URL(action)
  return { action: pathname + search, cookie }
}

interface Guess {
  readonly username: string
  readonly password: string
  readonly from?: string
  readonly headers?: readonly string[]
}

async function guess({ username, password, from = '127.0.0.1', headers = [] }: Guess): Promise<WireAnswer> {
  const { action, cookie } = await loginForm()
  const fields: AskOptions = form({ username, password, credentialId: '' })
  return world.ask(action, { ...fields, from, headers: [...(fields.headers ?? []), `Cookie: ${cookie}`, ...headers] })
}

const gotIn = ({ status, header }: WireAnswer) => status === 302 && header('location')?.includes('code=') === true

describe('guessing at the login form', () => {
  test('two hundred guesses at once are not two hundred chances', async () => {
    const right = world.passwordOf('ada')
    const guesses = Array.from({ length: 200 }, (_, at) => (at === 150 ? right : `guess-${at}`))
    const answers = await Promise.all(
      guesses.map((password) => guess({ username: 'ada', password, from: '127.0.0.2' })),
    )
    expect(answers.filter(gotIn)).toEqual([])
    expect(gotIn(await guess({ username: 'ada', password: right, from: '127.0.0.2' }))).toBe(false)
    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]) // 503: too many at once
  })

  test('nobody is locked out by a stranger’s guesses', async () => {
    expect(gotIn(await guess({ username: 'ada', password: world.passwordOf('ada'), from: '127.0.0.3' }))).toBe(true)
    expect(gotIn(await guess({ username: 'grace', password: world.passwordOf('grace'), from: '127.0.0.2' }))).toBe(true)
  })

  test.each([
    'X-Forwarded-For: 10.9.8.7',
    'X-Real-IP: 10.9.8.7',
    'Forwarded: for=10.9.8.7',
    'X-Client-IP: 10.9.8.7',
    'CF-Connecting-IP: 10.9.8.7',
    'X-Envoy-External-Address: 10.9.8.7',
    'X_Forwarded_For: 10.9.8.7',
    'True-Client-IP: 10.9.8.7',
  ])('%s gives no new chances', async (line) => {
    const from = `127.0.1.${line.length}`
    for (let at = 0; at < 8; at += 1) {
      await guess({ username: 'ada', password: `guess-${at}`, from, headers: [`${line}${at}`] })
    }
    const last = await guess({ username: 'ada', password: world.passwordOf('ada'), from, headers: [`${line}9`] })
    expect(gotIn(last)).toBe(false)
  })

  test.each([
    ['another case', 'ADA'],
    ['blanks around it', '  ada '],
    ['the e-mail address', 'ada@example.com'],
    ['the e-mail address in another case', 'Ada@Example.COM'],
  ])('nor does %s', async (_, spelling) => {
    const from = `127.0.2.${spelling.length + spelling.trim().length}`
    for (let at = 0; at < 8; at += 1) await guess({ username: 'ada', password: `guess-${at}`, from })
    expect(gotIn(await guess({ username: spelling, password: world.passwordOf('ada'), from }))).toBe(false)
  })
})

describe('who exists is told to nobody', () => {
  /** An answer without what differs from one form to the next. */
  const shape = ({ status, headers, body }: WireAnswer, username: string) => ({
    status,
    headers: headers
      .filter(([name]) => !['date', 'content-length'].includes(name))
      .map(([name, value]) => [name, value.replace(/=[^;]{20,}/, '=…')]),
    body: body
      .replaceAll(username, 'NAME')
      .replace(/action="[^"]*"/g, '')
      .replace(/<code>[0-9a-f-]{36}<\/code>/g, ''),
  })

  test('not by the answer to a wrong password, however often it is asked', async () => {
    const names = ['ada', 'nobody', 'ada@example.com', 'nobody@example.com', 'service-account-notes', '__proto__', 'é']
    for (let round = 0; round < 7; round += 1) {
      const shapes = await Promise.all(
        names.map(async (username) => shape(await guess({ username, password: 'wrong', from: '127.0.0.4' }), username)),
      )
      for (const one of shapes) expect(one).toEqual(shapes[0])
      expect(shapes[0]?.body).toContain(refusal)
    }
  })

  test('not for a user who is disabled, until the password is right', async () => {
    await withUsers(world, (users) => users.setEnabled('platform', 'grace', false))
    const known = shape(await guess({ username: 'grace', password: 'wrong', from: '127.0.0.5' }), 'grace')
    const unknown = shape(await guess({ username: 'nobody', password: 'wrong', from: '127.0.0.5' }), 'nobody')
    expect(known).toEqual(unknown)
    await withUsers(world, (users) => users.setEnabled('platform', 'grace', true))
  })

  test('not by a sign-in that names one in advance', async () => {
    const query = (hint: string) =>
      new URLSearchParams({
        ...{ client_id: 'notes', response_type: 'code', scope: 'openid', login_hint: hint },
        ...{
          redirect_uri: `${publicUrl}/notes/callback`,
          code_challenge: 'a'.repeat(43),
          code_challenge_method: 'S256',
        },
      })
    const [known, unknown] = await Promise.all(
      ['ada', 'nobody'].map(async (name) =>
        shape(await world.ask(`/auth/realms/platform/protocol/openid-connect/auth?${query(name)}`), name),
      ),
    )
    expect(known).toEqual(unknown)
  })
})

async function withUsers(
  chain: AttackWorld,
  work: (users: ReturnType<typeof openRealmUsers>) => Promise<void>,
): Promise<void> {
  const database = await openDatabase(join(chain.gatehouse.dataDirectory, 'gatehouse.db'))
  await work(openRealmUsers({ database, clock: systemClock, random: systemRandom }))
  await database.destroy()
}

describe('a user who is disabled while they are signed in', () => {
  const wiki = {
    id: 'wiki',
    secret: 'Yt7mQ2rHc9JwXaP4dNvB',
    redirectUri: 'https://wiki.example/login',
    signedOutUri: 'https://wiki.example/bye',
  }
  const realm = '/auth/realms/platform/protocol/openid-connect'
  const client = { client_id: wiki.id, client_secret: wiki.secret }
  let chain: AttackWorld
  beforeAll(async () => {
    chain = await attackWorld({ from: platformFiles({ relyingParties: [wiki] }) })
  })
  afterEach(() => withUsers(chain, (users) => users.setEnabled('platform', ada.username, true)))
  afterAll(() => chain.close())

  async function codeAt(base: string, scope: string) {
    const { browser } = await chain.signIn()
    const query = new URLSearchParams({
      client_id: wiki.id,
      redirect_uri: wiki.redirectUri,
      response_type: 'code',
      scope,
    })
    const back = await authorize(chain, browser, { url: `${base}/auth?${query}`, redirectUri: wiki.redirectUri })
    const code = back.searchParams.get('code') ?? ''
    return { browser, fields: { ...client, grant_type: 'authorization_code', code, redirect_uri: wiki.redirectUri } }
  }

  const disable = () => withUsers(chain, (users) => users.setEnabled('platform', ada.username, false))

  test('gets nothing for a code of the realm', async () => {
    const { fields } = await codeAt(realm, 'openid')
    await disable()
    expect((await redeem(chain, `${realm}/token`, fields)).status).toBe(400)
  })

  test('gets nothing for a refresh token of the realm, and tells nobody who they are', async () => {
    const { fields, browser } = await codeAt(realm, 'openid offline_access')
    const { json } = await redeem(chain, `${realm}/token`, fields)
    await disable()
    const refresh_token = String(json['refresh_token'])
    expect(
      (await redeem(chain, `${realm}/token`, { ...client, grant_type: 'refresh_token', refresh_token })).status,
    ).toBe(400)
    const bearer = [`Authorization: Bearer ${json['access_token']}`]
    expect((await chain.ask(`${realm}/userinfo`, { headers: bearer })).status).toBe(401)
    const query = new URLSearchParams({
      client_id: wiki.id,
      redirect_uri: wiki.redirectUri,
      response_type: 'code',
      prompt: 'none',
      scope: 'openid',
    })
    const answer = await browser.send(`${chain.origin}${realm}/auth?${query}`)
    expect(answer.headers.get('location')).toContain('error=login_required')
  })

  test('gets nothing for a refresh token of the broker, nor when they are enabled again', async () => {
    const { fields } = await codeAt('/dex', 'openid offline_access')
    const { json } = await redeem(chain, '/dex/token', fields)
    const refresh = { ...client, grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) }
    await disable()
    expect((await redeem(chain, '/dex/token', refresh)).status).toBe(400)
    await withUsers(chain, (users) => users.setEnabled('platform', ada.username, true))
    expect((await redeem(chain, '/dex/token', refresh)).status).toBe(400)
  })

  test('cannot sign in', async () => {
    await disable()
    const { action, cookie } = await loginForm(chain)
    const fields = form({ username: ada.username, password: ada.password })
    const answer = await chain.ask(action, { ...fields, headers: [...(fields.headers ?? []), `Cookie: ${cookie}`] })
    expect([answer.status, answer.header('location')]).toEqual([200, undefined])
    expect(answer.body).toContain('Account is disabled')
  })
})
