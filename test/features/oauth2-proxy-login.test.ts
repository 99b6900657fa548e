import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'
import { ada, platformFiles, proxyClient } from '../world/platform-files.ts'
import { freePort } from '../world/programs.ts'
import { type ProgramWorld, programDirectory, programWorld } from './oauth2-proxy-world.ts'

let issuer: TestGatehouse
let world: ProgramWorld
let origin = ''

beforeAll(async () => {
  const port = await freePort()
  origin = `http://127.0.0.1:${port}`
  issuer = await testGatehouse({ from: platformFiles({ proxyRedirectUris: [`${origin}/oauth2/callback`] }) })
  const directory = programDirectory()
  writeFileSync(join(directory, 'alpha.yaml'), alphaFile(port))
  world = await programWorld([`--alpha-config=${join(directory, 'alpha.yaml')}`], { directory, plain: coreFlags })
})
afterAll(() => issuer?.close())

const coreFlags = [
  ...['--cookie-secret=0123456789abcdef0123456789abcdef', '--cookie-secure=false', '--email-domain=*'],
  '--skip-provider-button',
]

function alphaFile(port: number): string {
  return `
server: { bindAddress: "127.0.0.1:${port}" }
upstreamConfig: { upstreams: [{ id: allow, path: /, static: true, staticCode: 202 }] }
injectResponseHeaders:
  - { name: X-Mail, values: [{ claimSource: { claim: email, prefix: "mailto:" } }] }
  - { name: X-Groups, values: [{ claimSource: { claim: groups } }] }
  - { name: X-From, values: [{ secretSource: { value: proxy } }] }
providers:
  - id: main
    provider: oidc
    clientID: ${proxyClient.id}
    clientSecret: ${proxyClient.secret}
    scope: openid profile email groups offline_access
    code_challenge_method: S256
    oidcConfig: { issuerURL: "${issuer.publicUrl}/dex" }
`
}

test('a sign-in by an alpha file ends where it began, with its headers and its line in the log', async () => {
  const browser = httpClient()
  const form = await browser.follow(`${origin}/notes?a=1`)
  const page = await browser.submit(form, { username: ada.username, password: ada.password })
  expect([page.url, page.response.status]).toEqual([`${origin}/notes?a=1`, 202])
  const answer = await browser.send(`${origin}/notes`)
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'gap-auth': ada.email,
    'x-mail': `mailto:${ada.email}`,
    'x-groups': ada.groups.toSorted().join(','),
    'x-from': 'proxy',
  })
  const log = await world.end()
  expect(log).toMatch(
    new RegExp(`^127\\.0\\.0\\.1:\\d+ - \\S+ - ${ada.email} \\[.*\\] \\[AuthSuccess\\] signed in`, 'm'),
  )
  expect(log).toMatch(new RegExp(` - ${ada.email} \\[.*\\] 127\\.0\\.0\\.1:\\d+ GET allow "/notes" HTTP/1\\.1 `))
  expect(log).not.toContain(proxyClient.secret)
})
