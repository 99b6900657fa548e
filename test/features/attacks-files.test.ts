import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/kit/problems.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import { type AttackWorld, attackWorld } from './attacks-world.ts'

let world: AttackWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

/** A working platform with one hostile file among its own. */
function withFile(name: string, text: string): string {
  const directory = platformFiles()
  writeFileSync(join(directory, name), text)
  return directory
}

/** What a start from this directory is refused with. */
async function refusal(directory: string): Promise<ConfigError> {
  const outcome = await attackWorld({ from: directory }).then(
    (started) => {
      world = started
      return undefined
    },
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(ConfigError)
  return outcome as ConfigError
}

const configMap = (key: string, text: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: dex, namespace: auth }\ndata:\n  ${key}: |\n${text.replace(/^/gm, '    ')}\n`

const laughs = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij']
  .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[at]}`).join(',')}]`)
  .join('\n')}\n`

const deepJson = `{"realm":"deep","clients":[],"attributes":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_001)}`

/** So that the file is one of those that are read at all. */
const policy = 'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n'

describe('a file made to do harm is refused with its name and line', () => {
  test.each([
    ['a billion laughs', 'bomb.yaml', policy + laughs],
    [
      'a billion laughs inside a ConfigMap',
      'bomb.yaml',
      configMap('config.yaml', `issuer: https://a.example/dex\nstaticClients: []\n${laughs}`),
    ],
    ['an alias inside its own anchor', 'loop.yaml', `${policy}a: &a\n  b: *a\n`],
    [
      'merge keys that multiply',
      'merge.yaml',
      `${policy}a: &a {x: 1}\n${Array.from({ length: 200 }, (_, at) => `b${at}: {<<: [${Array(200).fill('*a').join(',')}]}`).join('\n')}\n`,
    ],
    ['lists ten thousand levels deep', 'deep.yaml', `${policy}a: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`],
    ['maps ten thousand levels deep', 'deep.yaml', `${policy}a: ${'{a: '.repeat(10_000)}1${'}'.repeat(10_000)}\n`],
    [
      'blocks a thousand levels deep',
      'deep.yaml',
      policy + Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
    ],
    ['objects a hundred thousand levels deep', 'deep.json', deepJson],
    ['a prototype', 'proto.yaml', `${policy}__proto__: { polluted: yes }\n`],
    ['a prototype in JSON', 'proto.json', '{"realm":"proto","clients":[],"__proto__":{"polluted":true}}'],
    ['a key that is a map', 'key.yaml', `${policy}? {a: b}\n: c\n`],
    ['more than sixteen megabytes', 'large.yaml', `a: ${'x'.repeat(17 * 1024 * 1024)}\n`],
  ])('%s', async (_, name, text) => {
    const { problems } = await refusal(withFile(name, text))
    expect(problems.map(({ file }) => file)).toContain(name)
    expect(problems.length).toBeLessThan(300)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('more files than any platform has', async () => {
    const directory = platformFiles()
    for (let at = 0; at < 2100; at += 1) writeFileSync(join(directory, `x${at}.yaml`), 'a: 1\n')
    expect((await refusal(directory)).message).toContain('more than 2000 files')
  })
})

describe('the realm’s file cannot name its way into JavaScript', () => {
  const realmWith = (change: (text: string) => string): string => {
    const directory = platformFiles()
    const file = join(directory, 'realm.json')
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    return directory
  }

  test.each(['constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'a user, group, role or client called %s is just that',
    async (name) => {
      const more = `"roles": { "realm": [{ "name": "${name}" }], "client": { "${name}x": [{ "name": "${name}" }] } },`
      const from = realmWith((text) =>
        text
          .replace('"groups": [', `${more} "groups": [{ "name": "${name}" },`)
          .replace('"clients": [', `"clients": [{ "clientId": "${name}x", "secret": "s3cr3t-of-that-one" },`)
          .replace(
            '"users": [',
            `"users": [{ "username": "${name}", "groups": ["/${name}"], "attributes": { "${name}": ["x"] } },`,
          ),
      )
      world = await attackWorld({ from })
      expect((await world.signIn()).cookie).not.toBe('')
      expect(Object.keys(Object.prototype)).toEqual([])
      const { status } = await world.ask(`/auth/realms/${name}`)
      expect(status).toBe(404)
    },
  )

  test('nor give one of its users a second identity', async () => {
    const twin = (text: string) =>
      text.replace('"users": [', `"users": [{ "username": "twin", "email": "${ada.email.toUpperCase()}" },`)
    await refusal(realmWith(twin)).then(
      ({ problems }) => expect(problems.length).toBeGreaterThan(0),
      () => undefined,
    )
    if (world) {
      const echo = await world.signIn()
      const answer = await world.ask('/echo/?format=json', { headers: [`Cookie: ${echo.cookie}`] })
      expect(answer.body).toContain(`"user":"${ada.email}"`)
    }
  })
})

test('patterns that would take an engine years answer at once', async () => {
  const directory = platformFiles({
    proxySettings: [
      `skip_auth_routes = [ "^/(a+)+$", "(x+x+)+y" ]`,
      `api_routes = [ "(a|a)*b", "^(([a-z])+.)+[A-Z]([a-z])+$" ]`,
    ],
  })
  writeFileSync(
    join(directory, 'routes.yaml'),
    `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: slow, namespace: kubeflow }
spec:
  gateways: [kubeflow/kubeflow-gateway]
  hosts: ["*"]
  http:
    - match: [{ uri: { regex: "/(a+)+b" } }]
      route: [{ destination: { host: 127.0.0.1, port: { number: 9 } } }]
`,
  )
  world = await attackWorld({ from: directory })
  for (const path of [`/${'a'.repeat(40_000)}!`, `/${'x'.repeat(40_000)}`, `/${'a.'.repeat(20_000)}`]) {
    const { status } = await world.ask(path)
    expect([302, 401, 403, 503]).toContain(status)
  }
})

test('what lies beside the directory is not read through links', async () => {
  const directory = platformFiles()
  const outside = platformFiles()
  writeFileSync(join(outside, 'broken.yaml'), '{')
  mkdirSync(join(directory, 'sub'))
  symlinkSync(outside, join(directory, 'linked'))
  symlinkSync(directory, join(directory, 'sub', 'loop'))
  symlinkSync('/dev/zero', join(directory, 'endless.yaml'))
  symlinkSync('/nowhere', join(directory, 'dangling.yaml'))
  world = await attackWorld({ from: directory })
  expect((await world.ask('/dex/healthz')).status).toBe(200)
})
