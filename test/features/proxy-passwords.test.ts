import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import { expect, test } from 'vitest'
import type { ProxyPart } from '../../src/proxy/open-proxy.ts'
import { type Browser, origin, proxyWorld } from './proxy-world.ts'

const bcryptOfAda = hashSync('lovelace', { cost: 4 })
const shaOfEve = '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' // "password"

function fileOf(text: string, name = 'users'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'htpasswd-')), name)
  writeFileSync(file, text)
  return file
}

const users = `# people\nada:${bcryptOfAda}\n\neve:${shaOfEve}\nold:${bcryptOfAda.replace('$2b$', '$2y$')}\n`

async function passwordWorld(settings: Record<string, unknown> = {}, text = users) {
  const file = fileOf(text)
  return { ...(await proxyWorld({ htpasswd_file: file, ...settings })), file }
}

/** The form of the sign-in page, sent. */
async function post(
  { proxy, browser }: { proxy: ProxyPart; browser: Browser },
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const response = await proxy.fetch(
    new Request(`${origin}/oauth2/sign_in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields),
    }),
    { requestId: 'r1', clientAddress: '10.0.0.9' },
  )
  browser.keep(response.headers.getSetCookie())
  return response
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

test.each([
  ['bcrypt', 'ada', 'lovelace'],
  ['SHA-1', 'eve', 'password'],
  ['bcrypt as Apache writes it', 'old', 'lovelace'],
])('a password of the file signs in (%s), with the groups of the file’s users', async (_, user, password) => {
  const world = await passwordWorld({ htpasswd_user_groups: ['staff'] })
  const answer = await post(world, { username: user, password, rd: '/page?x=1' })
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/page?x=1'])
  const allowed = await world.browser.check('/')
  expect(allowed.status).toBe(200)
  expect(allowed.headers).toMatchObject({ 'x-auth-request-user': user, 'x-auth-request-groups': 'staff' })
  expect(allowed.headers).not.toHaveProperty('x-auth-request-email')
})

test('the sign-in page has the form, unless it is not to be shown', async () => {
  const shown = await (await passwordWorld()).browser.check('/page')
  expect(shown.body).toContain('<form class="form" method="post" action="/oauth2/sign_in"')
  expect(shown.body).toContain('type="password"')
  const hidden = await passwordWorld({ display_htpasswd_form: false })
  expect((await hidden.browser.check('/page')).body).not.toContain('type="password"')
  expect((await post(hidden, { username: 'ada', password: 'lovelace' })).status).toBe(302)
  expect((await (await proxyWorld()).browser.check('/page')).body).not.toContain('type="password"')
})

test('no user name is 400, a wrong password 401, an unknown user the very same', async () => {
  const world = await passwordWorld()
  expect((await post(world, { username: '', password: 'x' })).status).toBe(400)
  const wrong = await post(world, { username: 'ada', password: 'byron', rd: '/page' })
  const unknown = await post(world, { username: 'ida', password: 'byron', rd: '/page' })
  expect([wrong.status, unknown.status]).toEqual([401, 401])
  const text = await wrong.text()
  expect(text).toContain('User name or password is wrong.')
  expect(text).toContain('value="/page"')
  expect((await unknown.text()).replaceAll('ida', 'ada')).toBe(text)
  expect(world.browser.cookies.size).toBe(0)
})

test('after five wrong guesses the next has to wait, the right one, too; other users do not', async () => {
  const world = await passwordWorld()
  for (let guess = 0; guess < 5; guess += 1) {
    expect((await post(world, { username: 'ada', password: `guess-${guess}` })).status).toBe(401)
  }
  expect((await post(world, { username: 'ada', password: 'lovelace' })).status).toBe(429)
  expect((await post(world, { username: 'eve', password: 'password' })).status).toBe(302)
  world.clock.time += 1000
  expect((await post(world, { username: 'ada', password: 'lovelace' })).status).toBe(302)
  expect((await post(world, { username: 'ada', password: 'wrong' })).status).toBe(401)
})

test('another site’s form signs nobody in', async () => {
  const world = await passwordWorld()
  const fields = { username: 'eve', password: 'password' }
  expect((await post(world, fields, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await post(world, fields, { origin: 'https://evil.example' })).status).toBe(403)
  expect(world.browser.cookies.size).toBe(0)
})

test('a request may carry name and password itself, on every request', async () => {
  const { browser } = await passwordWorld({ htpasswd_user_groups: ['staff'] })
  for (let round = 0; round < 10; round += 1) {
    const answer = await browser.check('/', { headers: basic('ada', 'lovelace') })
    expect([answer.status, answer.headers['x-auth-request-user']]).toEqual([200, 'ada'])
  }
  expect((await browser.check('/', { headers: basic('ada', 'wrong') })).status).toBe(403)
  expect((await browser.get('/oauth2/auth', basic('eve', 'password'))).status).toBe(202)
  expect((await browser.get('/oauth2/auth', basic('eve', 'wrong'))).status).toBe(401)
})

test('with prefer_email_to_user the name is the address', async () => {
  const { browser } = await passwordWorld({ prefer_email_to_user: true }, `ada@example.com:${bcryptOfAda}`)
  const answer = await browser.check('/', { headers: basic('ada@example.com', 'lovelace') })
  expect(answer.headers['x-auth-request-email']).toBe('ada@example.com')
})

test('required groups are required of the file’s users, too', async () => {
  const refused = await passwordWorld({ allowed_groups: ['ml'], htpasswd_user_groups: ['staff'] })
  await post(refused, { username: 'ada', password: 'lovelace' })
  expect((await refused.browser.check('/')).status).toBe(403)
  const welcome = await passwordWorld({ allowed_groups: ['ml'], htpasswd_user_groups: ['ml'] })
  await post(welcome, { username: 'ada', password: 'lovelace' })
  expect((await welcome.browser.check('/')).status).toBe(200)
})

test('the file alone may say who signs in', async () => {
  const world = await passwordWorld({ email_domains: [] })
  await post(world, { username: 'ada', password: 'lovelace' })
  expect((await world.browser.check('/')).status).toBe(200)
  expect((await world.signIn()).status).toBe(403)
})

test('a changed file counts at once, a broken one leaves things as they were', async () => {
  const world = await passwordWorld()
  await expect(post(world, { username: 'new', password: 'lovelace' })).resolves.toMatchObject({ status: 401 })
  writeFileSync(world.file, `new:${bcryptOfAda}\n`)
  world.clock.time += 2000
  expect((await post(world, { username: 'new', password: 'lovelace' })).status).toBe(302)
  expect((await post(world, { username: 'eve', password: 'password' })).status).toBe(401)
  writeFileSync(world.file, 'new:plaintext\n')
  world.clock.time += 2000
  expect((await post(world, { username: 'new', password: 'lovelace' })).status).toBe(302)
  expect(world.logged.join()).toContain('what it said before still counts')
})

test('a password that was right a moment ago is not, once the file says so', async () => {
  const { browser, file, clock } = await passwordWorld()
  expect((await browser.check('/', { headers: basic('ada', 'lovelace') })).status).toBe(200)
  writeFileSync(file, `ada:${hashSync('another', { cost: 4 })}\n`)
  clock.time += 2000
  expect((await browser.check('/', { headers: basic('ada', 'lovelace') })).status).toBe(403)
  expect((await browser.check('/', { headers: basic('ada', 'another') })).status).toBe(200)
})

test.each(['ada:plain\n', 'ada\n', `ada:${bcryptOfAda}:more\n`, '# nobody\n'])(
  'the file `%s` is no start',
  async (text) => {
    await expect(passwordWorld({}, text)).rejects.toThrow(/password file/)
  },
)

test('someone signed in by password signs out here, and is sent to no provider', async () => {
  const world = await passwordWorld()
  await post(world, { username: 'ada', password: 'lovelace' })
  expect((await world.browser.get('/oauth2/sign_out')).headers.get('location')).toBe('/oauth2/signed_out')
  expect((await world.browser.check('/')).status).toBe(403)
})

test('no password is in the log', async () => {
  const world = await passwordWorld()
  await post(world, { username: 'ada', password: 'secret-guess' })
  await post(world, { username: 'ada', password: 'lovelace' })
  await world.browser.check('/', { headers: basic('ada', 'secret-guess') })
  expect(world.logged.join()).not.toMatch(/secret-guess|lovelace/)
})

test('authenticated_emails_file lets its addresses in, whatever the case, beside the domains', async () => {
  const file = fileOf('# staff\nADA@example.com , since 2020\n"eve@example.com"\n', 'emails')
  const { signIn, browser, provider } = await proxyWorld({
    email_domains: ['corp.com'],
    authenticated_emails_file: file,
  })
  expect((await signIn()).status).toBe(302)
  expect((await browser.check('/')).status).toBe(200)
  provider.account = { ...provider.account, email: 'mallory@example.com' }
  expect((await signIn()).status).toBe(403)
})

test('a ConfigMap that is swapped takes someone off the list, who is then told why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'configmap-'))
  writeFileSync(join(folder, 'one'), 'ada@example.com\n')
  writeFileSync(join(folder, 'two'), 'eve@example.com\n')
  const file = join(folder, 'emails')
  symlinkSync('one', file)
  const { signIn, browser, clock } = await proxyWorld({ email_domains: [], authenticated_emails_file: file })
  await signIn()
  expect((await browser.check('/')).status).toBe(200)
  symlinkSync('two', `${file}.new`)
  renameSync(`${file}.new`, file)
  clock.time += 61_000
  const denied = await browser.check('/')
  expect(denied.status).toBe(403)
  expect(denied.body).toContain('Its e-mail address is not on the list.')
  rmSync(folder, { recursive: true })
})
