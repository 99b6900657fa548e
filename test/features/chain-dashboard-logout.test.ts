import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'

// How the Kubeflow dashboards of each generation sign their users out, over the whole chain and its policies.

let gatehouse: TestGatehouse | undefined
afterEach(async () => {
  await gatehouse?.close()
  gatehouse = undefined
})

const platforms: readonly (readonly [name: string, from: string | undefined])[] = [
  ['the default chain', undefined],
  ...['stock', 'seed-000', 'seed-001', 'seed-002'].map((name) => [name, fixture(name)] as const),
]

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/kubeflow/${name}`, import.meta.url))
}

/** Someone who is signed in, in a browser. */
async function visitor(running: TestGatehouse) {
  const client = httpClient()
  const url = `${running.publicUrl}/echo/`
  const signedIn = await signIn(running, client)
  expect(signedIn.response.status).toBe(200)
  expect(signedIn.url).toBe(url)
  return { client, url }
}

async function signIn(running: TestGatehouse, client: HttpClient) {
  let page = await client.follow(`${running.publicUrl}/echo/`)
  if (page.response.status === 403) page = await client.submit(page, {})
  return page.text.includes('name="username"')
    ? client.submit(page, { username: 'ada', password: running.passwordOf('ada') })
    : client.submit(page, { login: 'user@example.com', password: '12341234' })
}

/** What the dashboard's script sends (centraldashboard public/components/logout-button.js), and the browser with it. */
const script = (origin: string, cookie: string) => ({
  authorization: `Bearer ${cookie}`,
  accept: '*/*',
  origin,
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
})

const link = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

type Visitor = Awaited<ReturnType<typeof visitor>>
type Way = (running: TestGatehouse, visitor: Visitor) => ReturnType<HttpClient['follow']>

const follow =
  (path: string): Way =>
  ({ publicUrl }, { client }) =>
    client.follow(publicUrl + path, { headers: link })

const post =
  (path: string, cookieOf: (client: HttpClient) => string): Way =>
  async ({ publicUrl }, { client }) => {
    const headers = script(publicUrl, cookieOf(client))
    const answer = await client.send(publicUrl + path, { method: 'POST', headers })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([201, 'application/json'])
    const { afterLogoutURL } = (await answer.json()) as { afterLogoutURL: string }
    return client.follow(new URL(afterLogoutURL, publicUrl).href, { headers: link })
  }

const sessionCookie = ({ cookies }: HttpClient) =>
  [...cookies.values()].find(({ name }) => /^(gatehouse|oauth2_proxy_kubeflow|authservice_session)$/.test(name))
    ?.value ?? ''

const generations: readonly (readonly [name: string, way: Way])[] = [
  ['up to 1.6: a link to /logout', follow('/logout')],
  ['1.7 to 1.9.1: a script that knows no cookie', post('/authservice/logout', () => '')],
  ['1.7 to 1.9.1: a script with the cookie as its bearer', post('/authservice/logout', sessionCookie)],
  ['1.9.1 over oauth2-proxy: the same script at its path', post('/oauth2/sign_out', () => '')],
  ['since 1.9.2: a link to /oauth2/sign_out', follow('/oauth2/sign_out')],
]

describe.each(platforms)('at %s', (_, from) => {
  test('every generation of the dashboard signs its user out, for good', async () => {
    gatehouse = await testGatehouse(from === undefined ? {} : { from })
    for (const [name, way] of generations) {
      const someone = await visitor(gatehouse)
      const stolen = [...someone.client.cookies.values()].map((one) => `${one.name}=${one.value}`).join('; ')
      const last = await way(gatehouse, someone)
      expect(last.response.status, name).toBe(200)
      expect(last.text, name).toContain('You are signed out')

      const again = await someone.client.follow(someone.url)
      const asked = again.response.status === 403 ? await someone.client.submit(again, {}) : again
      expect(asked.text, name).toMatch(/type="password"/) // not let in again without being asked
      const copy = await httpClient().send(someone.url, { headers: { cookie: stolen } })
      expect([302, 403], name).toContain(copy.status)
    }
  })
})
