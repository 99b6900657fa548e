import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { freePort } from '../world/programs.ts'
import { mirrored, openMirror } from './mirror.ts'
import type { RunningProgram } from './programs.ts'

/** What a server in front is configured with. */
export interface FrontAddresses {
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number
  /** Origin of Gatehouse: `/oauth2/`, `/dex/`, `/auth/` and `/gatehouse/` go there, and the question who is asking. */
  readonly gatehouse: string
  /** Origin of the application: everything else, after sign-in. `/api/` is for programs. */
  readonly application: string
}

/**
 * What every server that asks `/oauth2/auth` owes its applications: no one gets in without signing in, everyone ends
 * where they wanted to go, and the application is told who they are under `X-Email`, `X-Groups` and `X-User`.
 */
export function frontSuite(start: (addresses: FrontAddresses) => Promise<RunningProgram>): void {
  let origin = ''
  let gatehouse: TestGatehouse
  let front: RunningProgram
  let application: Awaited<ReturnType<typeof openMirror>>

  beforeAll(async () => {
    application = await openMirror()
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    gatehouse = await testGatehouse({ publicUrl: origin })
    const addresses = { port, gatehouse: `http://localhost:${gatehouse.port.used}`, application: application.origin }
    front = await start(addresses)
  })

  afterAll(async () => {
    await front.stop()
    await gatehouse.close()
    await application.close()
  })

  /** Asks for `path` without a session, and signs in. */
  async function signIn(path = '/'): Promise<{ browser: HttpClient; url: string; text: string }> {
    const browser = httpClient()
    const form = await browser.follow(origin + path)
    expect(form.url).toMatch(`${origin}/auth/realms/platform/`)
    const page = await browser.submit(form, { username: 'ada', password: gatehouse.passwordOf('ada') })
    return { browser, url: page.url, text: page.text }
  }

  test('a visitor signs in and reaches the very page that was asked for', async () => {
    const { url, text } = await signIn('/reports/2026?month=11&tab=b%20c')
    expect(url).toBe(`${origin}/reports/2026?month=11&tab=b%20c`)
    expect(mirrored(text).url).toBe('/reports/2026?month=11&tab=b%20c')
  })

  test('a program without a session gets 401, and no page', async () => {
    const response = await httpClient().send(`${origin}/api/reports`, {
      headers: { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' },
    })
    expect(response.status).toBe(401)
    expect(response.headers.get('location')).toBeNull()
  })

  test('the application is told who signed in', async () => {
    const { browser, text } = await signIn()
    const told = { 'x-email': 'ada@example.com', 'x-groups': 'platform-admins,platform-users,team/ml' }
    expect(mirrored(text).headers).toMatchObject(told)
    expect(mirrored(text).headers['x-user']).not.toBe('')
    const api = await browser.follow(`${origin}/api/reports`)
    expect(mirrored(api.text).headers).toMatchObject(told)
  })

  test('what a client says of itself is not believed, signed in or not', async () => {
    const lies = {
      'x-email': 'root@example.com',
      'x-groups': 'admins',
      'x-user': 'root',
      'x-auth-request-email': 'root@example.com',
      'x-auth-request-groups': 'admins',
      'x-auth-request-user': 'root',
      'x-forwarded-email': 'root@example.com',
      'x-forwarded-user': 'root',
    }
    expect((await httpClient().send(`${origin}/api/reports`, { headers: lies })).status).toBe(401)
    const { browser } = await signIn()
    const { headers } = mirrored((await browser.follow(`${origin}/reports`, { headers: lies })).text)
    expect(headers['x-email']).toBe('ada@example.com')
    expect(headers['x-groups']).toBe('platform-admins,platform-users,team/ml')
    expect(headers['x-user']).not.toBe('root')
  })

  test('signing out ends every session', async () => {
    const { browser } = await signIn()
    const bye = await browser.follow(`${origin}/oauth2/sign_out`)
    expect(bye.url).toMatch(`${origin}/oauth2/signed_out`)
    expect((await browser.send(`${origin}/api/reports`)).status).toBe(401)
    const again = await browser.follow(`${origin}/reports`)
    expect(again.url).toMatch(`${origin}/auth/realms/platform/`)
    expect(again.text).toContain('type="password"')
  })
}
