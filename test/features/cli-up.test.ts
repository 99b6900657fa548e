import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { type RunningCommand, runGatehouse } from '../world/command.ts'
import { httpClient } from '../world/http-client.ts'

const running: RunningCommand[] = []
afterEach(async () => {
  for (const command of running.splice(0)) {
    command.process.kill('SIGKILL')
    await command.ended()
  }
})

const newDirectory = () => join(mkdtempSync(join(tmpdir(), 'gatehouse-cli-')), 'state')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function up(data: string, ...args: string[]) {
  const command = runGatehouse('up', '--data', data, ...args)
  running.push(command)
  const [, url = ''] = await command.until(/Open +(http:\S+?)\/\s[\s\S]*Ctrl-C/)
  return { command, url, port: new URL(url).port }
}

const passwordIn = (text: string) => /ada@example\.com +(\S+-\S+)/.exec(text)?.[1] ?? ''

test('the first run makes a private directory and prints two passwords; the second run knows them still', async () => {
  const data = newDirectory()
  const first = await up(data, '--port', '0')
  const password = passwordIn(first.command.text())
  expect(password).toMatch(/^(\w{4}-){3}\w{4}$/)
  expect(first.command.text()).toContain('grace@example.com')
  expect(statSync(data).mode & 0o777).toBe(0o700)
  for (const file of ['secrets.json', 'gatehouse.db']) expect(statSync(join(data, file)).mode & 0o777).toBe(0o600)
  for (const secret of Object.values(
    JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as Record<string, unknown>,
  )) {
    if (typeof secret === 'string') expect(first.command.text()).not.toContain(secret)
  }

  const client = httpClient()
  const login = await client.follow(`${first.url}/echo/?format=json`)
  const signedIn = await client.submit(login, { username: 'ada', password })
  expect(JSON.parse(signedIn.text)).toMatchObject({ user: 'ada@example.com' })

  first.command.process.kill('SIGINT')
  expect(await first.command.ended()).toBe(0)
  const second = await up(data, '--port', first.port)
  expect(second.command.text()).not.toContain(password)
  expect(second.command.text()).toContain('Sign in   ada@example.com, grace@example.com')
  const again = await client.send(`${second.url}/echo/?format=json`)
  expect(await again.json()).toMatchObject({ user: 'ada@example.com' })
})

test('kill -9 loses no session, no user and no login under way', async () => {
  const data = newDirectory()
  const first = await up(data, '--port', '0')
  const password = passwordIn(first.command.text())
  const signedIn = httpClient()
  await signedIn.submit(await signedIn.follow(`${first.url}/echo/`), { username: 'ada', password })
  const added = runGatehouse(
    'users',
    'add',
    'kay@example.com',
    '--data',
    data,
    '--password',
    'correct horse',
    '--groups',
    'platform-users',
  )
  expect(await added.ended()).toBe(0)
  const midLogin = httpClient()
  const form = await midLogin.follow(`${first.url}/echo/mid?format=json`)
  expect(form.text).toContain('kc-form-login')

  first.command.process.kill('SIGKILL')
  await first.command.ended()
  const second = await up(data, '--port', first.port)

  const finished = await midLogin.submit(form, { username: 'kay', password: 'correct horse' })
  expect(JSON.parse(finished.text)).toMatchObject({
    path: '/echo/mid',
    user: 'kay@example.com',
    groups: ['platform-users'],
  })
  const kept = await signedIn.send(`${second.url}/echo/?format=json`)
  expect(await kept.json()).toMatchObject({ user: 'ada@example.com' })
  const sso = await signedIn.follow(`${second.url}/notes/`)
  expect(sso.response.status).toBe(200)
})

test('a disabled user cannot sign in, whatever the password', async () => {
  const data = newDirectory()
  const { command, url } = await up(data, '--port', '0')
  const disabled = runGatehouse('users', 'disable', 'ada', '--data', data)
  expect(await disabled.ended()).toBe(0)
  const client = httpClient()
  const refused = await client.submit(await client.follow(`${url}/echo/`), {
    username: 'ada',
    password: passwordIn(command.text()),
  })
  expect(refused.url).toContain('/login-actions/authenticate')
  expect(refused.text).toMatch(/role="alert"[\s\S]*(disabled|Invalid username or password)/)
  expect([...client.cookies.values()].map(({ name }) => name)).not.toContain('KEYCLOAK_IDENTITY')
})

test('an empty password is no password', async () => {
  const data = newDirectory()
  await up(data, '--port', '0')
  const added = runGatehouse('users', 'add', 'kay@example.com', '--password', '', '--data', data)
  expect(await added.ended()).toBe(2)
  expect(added.text()).toContain('--password must not be empty')
})

test('a taken port is said, and the next free one used', async () => {
  const other = createServer().listen(0, 'localhost')
  await new Promise((resolve) => other.once('listening', resolve))
  const taken = (other.address() as AddressInfo).port
  const { command, port } = await up(newDirectory(), '--port', String(taken))
  other.close()
  expect(Number(port)).toBeGreaterThan(taken)
  expect(command.text()).toContain(`(port ${taken} is taken, so ${port})`)
})

test('an address that is settled keeps its port: taken, it is an error', async () => {
  const other = createServer().listen(0, 'localhost')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const folder = newDirectory()
  mkdirSync(folder)
  writeFileSync(join(folder, 'gatehouse.yaml'), `publicUrl: http://localhost:${port}\n`)
  const command = runGatehouse('up', '--config', join(folder, 'gatehouse.yaml'))
  running.push(command)
  expect(await command.ended()).toBe(1)
  other.close()
  expect(command.text()).toContain(`port ${port} is taken; choose another with --port`)
})

test('the summary tells the realm to name where the state holds several', async () => {
  const data = newDirectory()
  const first = await up(data, '--port', '0')
  expect(first.command.text()).toContain(`npm run gatehouse -- users --data ${data}  (`)
  first.command.process.kill('SIGINT')
  await first.command.ended()
  const seed = fileURLToPath(new URL('../fixtures/kubeflow/seed-001', import.meta.url))
  const second = await up(data, '--port', '0', '--from', seed)
  expect(second.command.text()).toMatch(/npm run gatehouse -- users --data \S+ --realm kubeflow /)
})

test('--reset starts over and touches nothing else in the directory', async () => {
  const data = newDirectory()
  const first = await up(data, '--port', '0')
  first.command.process.kill('SIGINT')
  await first.command.ended()
  writeFileSync(join(data, 'mine.txt'), 'keep')
  const second = await up(data, '--port', '0', '--reset')
  expect(passwordIn(second.command.text())).not.toBe(passwordIn(first.command.text()))
  expect(readFileSync(join(data, 'mine.txt'), 'utf8')).toBe('keep')
})

test('--reset leaves the state of a running chain alone', async () => {
  const data = newDirectory()
  const { command, url } = await up(data, '--port', '0')
  const reset = runGatehouse('up', '--data', data, '--port', '0', '--reset')
  running.push(reset)
  expect(await reset.ended()).toBe(1)
  expect(reset.text()).toContain(`a chain runs on \`${data}\`; stop it (Ctrl-C), then --reset`)
  const client = httpClient()
  const login = await client.follow(`${url}/echo/?format=json`)
  const signedIn = await client.submit(login, { username: 'ada', password: passwordIn(command.text()) })
  expect(JSON.parse(signedIn.text)).toMatchObject({ user: 'ada@example.com' })
})

test('gatehouse.yaml says the address and the place of the state; no demo user is made', async () => {
  const folder = newDirectory()
  mkdirSync(folder)
  const port = await freePort()
  writeFileSync(
    join(folder, 'gatehouse.yaml'),
    `publicUrl: http://localhost:${port}
data: ./state
apps: [{ name: lab, prefix: /lab/, host: localhost, port: 1 }]
`,
  )
  const command = runGatehouse('up', '--config', join(folder, 'gatehouse.yaml'))
  running.push(command)
  await command.until(/Ctrl-C/)
  expect(command.text()).toContain(`http://localhost:${port}/`)
  expect(command.text()).toContain(
    `Sign in   no users yet; add one: npm run gatehouse -- users add you@example.com --data ${join(folder, 'state')}`,
  )
  expect(command.text()).toContain(`State     ${join(folder, 'state')} `)
  expect(command.text()).toMatch(new RegExp(`app +http://localhost:${port}/lab/ +behind the gateway`))
  expect(command.text()).not.toContain('the directory has none')
  const added = runGatehouse(
    'users',
    'add',
    'kay@example.com',
    '--data',
    join(folder, 'state'),
    '--password',
    'correct horse',
  )
  expect(await added.ended()).toBe(0)
  const client = httpClient()
  const signedIn = await client.submit(await client.follow(`http://localhost:${port}/`), {
    username: 'kay',
    password: 'correct horse',
  })
  expect(signedIn.text).toContain('kay@example.com')
})

test.each([
  [['up', '--prot', '1'], 2, 'unknown option `--prot`; did you mean `--port`?'],
  [['up', '--port', 'x'], 2, '--port must be a number from 0 to 65535, got `x`'],
  [['up', '--domain', 'a/b'], 2, '--domain must be a host or an origin'],
  [['up', '--config', 'gatehouse.yaml', '--from', 'x'], 2, '--from does not go with --config'],
  [['up', '--config', '/nonexistent.yaml'], 1, 'cannot be read'],
  [['up', 'here'], 2, '`up` takes no argument, got `here`'],
  [['up', '--data', '/proc/no-such'], 1, 'the data directory `/proc/no-such` cannot be used'],
  [['upp'], 2, 'unknown command `upp`; did you mean `up`?'],
  [['users', 'lst', '--data', '/nonexistent'], 2, 'unknown action `lst`; did you mean `list`?'],
  [['users', '--data', '/nonexistent'], 1, 'there is no chain in `/nonexistent`'],
  [['users', 'groups', 'ada'], 2, 'write: gatehouse users groups NAME GROUPS'],
])('gatehouse %j ends with %i and says what would do', async (args, status, message) => {
  const command = runGatehouse(...args)
  expect(await command.ended()).toBe(status)
  expect(command.text()).toContain(message)
})

test.each([
  ['secrets.json', "does not hold Gatehouse's secrets; remove it, or start over with --reset"],
  ['gatehouse.db', 'cannot be used (file is not a database); put a copy back, or start over with --reset'],
])('a broken %s is told by its name, and --reset helps', async (name, message) => {
  const data = newDirectory()
  mkdirSync(data)
  writeFileSync(join(data, name), '{ this is nothing that was written here')
  const command = runGatehouse('up', '--data', data, '--port', '0')
  expect(await command.ended()).toBe(1)
  expect(command.text()).toContain(`${join(data, name)}\` ${message}`)
  await up(data, '--port', '0', '--reset')
})

test('a broken directory is refused before anything is listened on', async () => {
  const broken = fileURLToPath(new URL('../fixtures/kubeflow/broken', import.meta.url))
  const command = runGatehouse('up', '--data', newDirectory(), '--port', '0', '--from', broken)
  expect(await command.ended()).toBe(1)
  expect(command.text()).toMatch(/istio\.yaml:21:3: error: spec\.action: unknown action `DENYY`/)
  expect(command.text()).not.toContain('ready')
  expect(command.text()).toMatch(
    /\n\ngatehouse: \d+ errors( and \d+ warnings?)?; correct the errors, then try again\n$/,
  )
})

test.each([['--help'], ['up', '--help'], ['users', '--help'], ['version'], ['help', 'up']])(
  'gatehouse %s %s tells and ends with 0',
  async (...args) => {
    const command = runGatehouse(...args.filter((arg) => arg !== undefined))
    expect(await command.ended()).toBe(0)
    expect(command.text()).toContain('gatehouse')
  },
)
