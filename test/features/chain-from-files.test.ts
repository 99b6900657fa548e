import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/kit/problems.ts'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/kubeflow/${name}`, import.meta.url))

let gatehouse: TestGatehouse | undefined
afterEach(async () => {
  await gatehouse?.close()
  gatehouse = undefined
})

async function echoAfterLogin(client: HttpClient, at: (path: string) => string): Promise<Record<string, unknown>> {
  const { response, text } = await client.follow(at('/echo/deep?format=json'))
  expect(response.status).toBe(200)
  return JSON.parse(text) as Record<string, unknown>
}

describe('a platform’s own files, unchanged, give a working login', () => {
  /** Starts the fixture and opens `/echo/` as a visitor; follows the proxy’s sign-in page where there is one. */
  async function visit(name: string) {
    gatehouse = await testGatehouse({ from: fixture(name) })
    const at = (path: string) => `${gatehouse?.publicUrl}${path}`
    const client = httpClient()
    let page = await client.follow(at('/echo/deep?format=json'))
    if (page.response.status === 403) page = await client.submit(page, {})
    return { gatehouse, client, at, page }
  }

  test('Kubeflow’s stock manifests, with Dex’s static password', async () => {
    const { client, at, page } = await visit('stock')
    expect(page.text).toContain('name="login"')
    const signedIn = await client.submit(page, { login: 'user@example.com', password: '12341234' })
    expect(JSON.parse(signedIn.text)).toMatchObject({ path: '/echo/deep', user: 'user@example.com' })
    expect(await echoAfterLogin(client, at)).toMatchObject({ user: 'user@example.com' })
  })

  test.each(['seed-000', 'seed-001', 'seed-002'])('%s, with Keycloak’s users', async (name) => {
    const { gatehouse, client, at, page } = await visit(name)
    expect(page.text).toContain('id="kc-form-login"')
    const password = gatehouse.passwordOf('ada')
    const signedIn = await client.submit(page, { username: 'ada', password })
    expect(signedIn.response.status).toBe(200)
    expect(await echoAfterLogin(client, at)).toMatchObject({ user: 'ada@example.com' })

    const portal = await client.follow(at('/'))
    const [, signOut = ''] = /href="([^"]+)">Sign out</.exec(portal.text) ?? []
    const signedOut = await client.follow(at(signOut))
    expect(signedOut.text).toContain('You are signed out')
    expect(signedOut.text).toContain('Sign in again')
    const again = await client.follow(at('/echo/deep?format=json'))
    expect(again.text).toMatch(/id="kc-form-login"|Sign in with/)
  })

  test('a wrong password is refused in each dialect', async () => {
    const { client, page } = await visit('stock')
    const refused = await client.submit(page, { login: 'user@example.com', password: 'guess' })
    expect(refused.response.status).toBe(401)
    expect(refused.text).toContain('name="password"')
  })
})

test('every mistake of a broken directory is told at once, with file and line, and nothing starts', async () => {
  const error = await testGatehouse({ from: fixture('broken') }).then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(ConfigError)
  const { problems, message } = error as ConfigError
  expect(problems.length).toBeGreaterThanOrEqual(20)
  expect(new Set(problems.map(({ file }) => file)).size).toBeGreaterThanOrEqual(7)
  for (const line of message.split('\n')) expect(line).toMatch(/^[\w./-]+:\d+:\d+: (error|warning): /)
})
