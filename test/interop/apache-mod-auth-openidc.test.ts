import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'
import { ada, platformFiles, type RelyingParty } from '../world/platform-files.ts'
import { freePort, workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { mirrored, openMirror } from './mirror.ts'
import { describeWith, type RunningProgram, startProgram } from './programs.ts'

const modules = '/usr/lib/apache2/modules'
const apache = {
  name: 'apache2',
  from: 'the Debian packages apache2 and libapache2-mod-auth-openidc',
  also: `${modules}/mod_auth_openidc.so`,
}

const providers = [
  { provider: 'realm', path: '/auth/realms/platform', groups: '/platform-users,/team/ml' },
  { provider: 'broker', path: '/dex', groups: 'platform-users,team/ml' },
]

/** Who accepts no page gets 401 from mod_auth_openidc instead of a login. */
const asPerson = { headers: { accept: 'text/html' } }

describeWith(apache, (program) => {
  describe.each(providers)('mod_auth_openidc, unchanged, as a client of the $provider', ({ path, groups }) => {
    let origin = ''
    let gatehouse: TestGatehouse
    let server: RunningProgram
    let application: Awaited<ReturnType<typeof openMirror>>

    beforeAll(async () => {
      application = await openMirror()
      const port = await freePort()
      origin = `http://127.0.0.1:${port}`
      const party: RelyingParty = {
        id: 'apache',
        secret: 'Zp4mW9qRb2TkXc7vHsLd',
        redirectUri: `${origin}/secure/callback`,
        signedOutUri: `${origin}/public/bye`,
        backchannelLogoutUri: `${origin}/secure/callback?logout=backchannel`,
      }
      gatehouse = await testGatehouse({ from: platformFiles({ relyingParties: [party] }) })
      const settings = { port, party, issuer: gatehouse.publicUrl + path, application: application.origin }
      server = await startApache(program, settings)
    })

    afterAll(async () => {
      await server.stop()
      await gatehouse.close()
      await application.close()
    })

    async function signIn(start: string) {
      const browser = httpClient()
      const form = await browser.follow(origin + start, asPerson)
      expect(form.url).toMatch(`${gatehouse.publicUrl}/auth/realms/platform/`)
      const page = await browser.submit(form, { username: ada.username, password: ada.password })
      return { browser, form, page }
    }

    test('signs in by code with PKCE and reaches the page that was asked for, where it is known who came', async () => {
      const { form, page } = await signIn('/secure/deep/page?a=1&b=2')
      expect(page.url).toBe(`${origin}/secure/deep/page?a=1&b=2`)
      const { headers } = mirrored(page.text)
      expect(headers).toMatchObject({
        oidc_claim_iss: gatehouse.publicUrl + path,
        oidc_claim_email: ada.email,
        oidc_claim_groups: groups,
        'x-remote-user': ada.email,
      })
      expect(form.hops[1]).toContain('code_challenge_method=S256')
    })

    test('asks userinfo, which knows the same user', async () => {
      const { page } = await signIn('/secure/')
      const { headers } = mirrored(page.text)
      const userinfo = JSON.parse(String(headers['oidc_userinfo_json'])) as Record<string, unknown>
      expect(userinfo).toMatchObject({ sub: headers['oidc_claim_sub'], email: ada.email, groups: groups.split(',') })
    })

    test('keeps its session', async () => {
      const { browser } = await signIn('/secure/')
      const { url, text, hops } = await browser.follow(`${origin}/secure/again`)
      expect({ url, hops: hops.length }).toEqual({ url: `${origin}/secure/again`, hops: 1 })
      expect(mirrored(text).headers['x-remote-user']).toBe(ada.email)
    })

    test('a sign-out at the realm ends its session, by a logout token it believes, and no other', async () => {
      const [{ browser }, other] = [await signIn('/secure/'), await signIn('/secure/')]
      const asked = await browser.follow(`${gatehouse.publicUrl}/auth/realms/platform/protocol/openid-connect/logout`)
      await browser.submit(asked, {})
      expect((await browser.follow(`${origin}/secure/`, asPerson)).text).toContain('type="password"')
      expect(mirrored((await other.browser.follow(`${origin}/secure/`)).text).headers['x-remote-user']).toBe(ada.email)
    })

    test('signing out there signs out here, too', async () => {
      const { browser } = await signIn('/secure/')
      const bye = await browser.follow(`${origin}/secure/callback?logout=${encodeURIComponent(`${origin}/public/bye`)}`)
      expect(bye.url).toMatch(`${origin}/public/bye`)
      const again = await browser.follow(`${origin}/secure/`, asPerson)
      expect(again.url).toMatch(`${gatehouse.publicUrl}/auth/realms/platform/`)
      expect(again.text).toContain('type="password"')
    })
  })
})

interface ApacheSettings {
  readonly port: number
  readonly party: RelyingParty
  readonly issuer: string
  readonly application: string
}

function startApache(program: string, settings: ApacheSettings): Promise<RunningProgram> {
  const directory = workDirectory('apache')
  const file = join(directory, 'apache2.conf')
  writeFileSync(file, configuration(directory, settings))
  const args = ['-d', directory, '-f', file, '-D', 'FOREGROUND']
  return startProgram(program, args, { port: settings.port, env: { no_proxy: '*', NO_PROXY: '*' } })
}

function configuration(directory: string, { port, party, issuer, application }: ApacheSettings): string {
  const loaded = [
    'mpm_event',
    'authn_core',
    'authz_core',
    'authz_user',
    'headers',
    'proxy',
    'proxy_http',
    'auth_openidc',
  ]
  return `
${loaded.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
User #65534
Group #65534
DefaultRuntimeDir ${directory}
PidFile ${directory}/apache2.pid
ErrorLog ${directory}/error.log

${recipe('apache.conf', {
  'https://sso.example.com/dex': issuer,
  'OIDCClientID apps': `OIDCClientID ${party.id}`,
  'CLIENT-SECRET': party.secret,
  'https://apps.example.com/secure/callback': party.redirectUri,
  PASSPHRASE: 'a-passphrase-of-this-test',
  'http://127.0.0.1:3000': application,
})}
`
}
