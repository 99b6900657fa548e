import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { type HttpClient, httpClient } from '../world/http-client.ts'
import { ada, platformFiles, proxyClient } from '../world/platform-files.ts'
import { freePort } from '../world/programs.ts'
import { describeWith, goModuleVersion, type RunningProgram, startProgram } from './programs.ts'
import { isRecording, type RecordedSession, recordSessions } from './record-sessions.ts'

const cookieName = 'oauth2_proxy_kubeflow'
/** Enough to make a session larger than a cookie may be. */
const manyGroups = Array.from({ length: 60 }, (_, index) => `project-${index}-of-the-statistics-department`)

const cases = [
  { what: '32 bytes in base64url', secret: 'Fq7b4uIcRAZfS9wGtu1uJ4z0E1o2kQ0Wb1r3m5t8y6A=', moreGroups: [] },
  { what: '32 hex digits, a key of 24 bytes', secret: '3f9a1c7e5b2d8046a7c9e1f3052b4d68', moreGroups: [] },
  {
    what: 'a session of several cookies',
    secret: 'Fq7b4uIcRAZfS9wGtu1uJ4z0E1o2kQ0Wb1r3m5t8y6A=',
    moreGroups: manyGroups,
  },
]

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy' }, (program) => {
  const recorded: RecordedSession[] = []

  describe.each(cases)('sessions under one cookie secret: $what', ({ what, secret, moreGroups }) => {
    let theirs = ''
    let ours = ''
    let gatehouse: TestGatehouse
    let original: RunningProgram

    beforeAll(async () => {
      const port = await freePort()
      theirs = `http://127.0.0.1:${port}`
      const from = platformFiles({
        moreGroups,
        proxyRedirectUris: [`${theirs}/oauth2/callback`],
        proxySettings: [`cookie_name = "${cookieName}"`, `cookie_secret = "${secret}"`],
      })
      gatehouse = await testGatehouse({ from })
      ours = gatehouse.publicUrl
      const args = originalArguments({ port, secret, issuer: `${ours}/dex`, redirectUrl: `${theirs}/oauth2/callback` })
      original = await startProgram(program, args, { port, env: { NO_PROXY: '*' } })
    })

    afterAll(async () => {
      await original.stop()
      await gatehouse.close()
    })

    const identity = {
      'x-auth-request-email': ada.email,
      'x-auth-request-groups': [...ada.groups, ...moreGroups].sort().join(','),
    }

    test("oauth2-proxy's session is ours", async () => {
      const browser = await signIn(`${theirs}/`)
      expect(sessionCookies(browser)).toEqual(cookieNames(moreGroups))
      expect(await identityAt(theirs, browser)).toMatchObject(identity)
      expect(await identityAt(ours, browser)).toEqual(await identityAt(theirs, browser))
      recorded.push({ what, secret, ...recordingOf(browser), ...identity })
    })

    test("our session is oauth2-proxy's", async () => {
      const browser = await signIn(`${ours}/echo/`)
      expect(sessionCookies(browser)).toEqual(cookieNames(moreGroups))
      expect(await identityAt(ours, browser)).toMatchObject(identity)
      expect(await identityAt(theirs, browser)).toEqual(await identityAt(ours, browser))
    })
  })

  afterAll(() => {
    if (!isRecording) return
    const version = goModuleVersion(program, 'github.com/oauth2-proxy/oauth2-proxy/v7')
    recordSessions({ program: `oauth2-proxy ${version}`, cookieName, sessions: recorded })
  })
})

function originalArguments(given: {
  readonly port: number
  readonly secret: string
  readonly issuer: string
  readonly redirectUrl: string
}): string[] {
  return [
    `--http-address=127.0.0.1:${given.port}`,
    '--provider=oidc',
    `--oidc-issuer-url=${given.issuer}`,
    `--client-id=${proxyClient.id}`,
    `--client-secret=${proxyClient.secret}`,
    `--redirect-url=${given.redirectUrl}`,
    '--scope=openid profile email groups offline_access',
    '--prompt=none',
    '--code-challenge-method=S256',
    `--cookie-name=${cookieName}`,
    `--cookie-secret=${given.secret}`,
    '--cookie-secure=false',
    '--cookie-expire=24h',
    '--email-domain=*',
    '--upstream=static://200',
    '--set-xauthrequest=true',
    '--skip-provider-button=true',
  ]
}

async function signIn(url: string): Promise<HttpClient> {
  const browser = httpClient()
  const form = await browser.follow(url)
  const page = await browser.submit(form, { username: ada.username, password: ada.password })
  expect(page.url).toBe(url)
  return browser
}

/** What `/oauth2/auth` says of the browser's session. */
async function identityAt(origin: string, browser: HttpClient): Promise<Record<string, string>> {
  const response = await browser.send(`${origin}/oauth2/auth`)
  expect(response.status).toBe(202)
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('x-auth-request-')))
}

function sessionCookies({ cookies }: HttpClient): string[] {
  return [...cookies.values()].map(({ name }) => name).filter((name) => /^oauth2_proxy_kubeflow(_\d)?$/.test(name))
}

/** One cookie, or as many parts as a session with many groups takes. */
function cookieNames({ length }: readonly string[]): unknown {
  return length === 0 ? [cookieName] : expect.arrayContaining([`${cookieName}_0`, `${cookieName}_1`])
}

function recordingOf(browser: HttpClient): { readonly recordedAt: string; readonly cookie: string } {
  const cookies = [...browser.cookies.values()].filter(({ name }) => sessionCookies(browser).includes(name))
  return {
    recordedAt: new Date().toISOString(),
    cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
  }
}
