import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { ada, platformFiles } from '../world/platform-files.ts'
import { chromiumPath, launchChromium, newVisitor } from './chromium.ts'

/** Each would open a dialog, or leave an element marked `data-xss`, wherever it is taken for markup. */
const payloads = [
  '<script data-xss>alert(1)</script>',
  '"><img data-xss src=x onerror=alert(1)>',
  "'><svg data-xss onload=alert(1)>",
  '</title></textarea></style><b data-xss onmouseover=alert(1)>',
  '" autofocus onfocus=alert(1) data-xss="',
  'javascript:alert(1)',
  '<a data-xss href="javascript:alert(1)">x</a>',
  '<iframe data-xss srcdoc="<script>alert(1)</script>"></iframe>',
  '{{constructor.constructor("alert(1)")()}}',
  '\\u003cscript data-xss\\u003ealert(1)\\u003c/script\\u003e',
  '&lt;script data-xss&gt;alert(1)&lt;/script&gt;',
]
/** What none of our pages has, unless a payload made it. */
const marks = '[data-xss], [onerror], [onload], [onfocus], [onmouseover], [href^="javascript:" i]'
/** All of them in one text; one that must come first (`javascript:`) stands alone, too. */
const polyglots = [payloads.join(' '), ...payloads.filter((payload) => /^(javascript:|" auto)/.test(payload))]
const worst = payloads[1] ?? ''

describe.skipIf(chromiumPath === undefined)('nothing a visitor or an administrator types becomes markup', () => {
  let browser: Browser
  let gatehouse: TestGatehouse
  /** A platform whose client, groups and user are named to do harm. */
  let named: TestGatehouse

  beforeAll(async () => {
    browser = await launchChromium()
    gatehouse = await testGatehouse()
    const relyingParty = {
      id: worst,
      secret: 's3cr3t-of-the-worst',
      redirectUri: 'https://a.example/',
      signedOutUri: '-',
    }
    const from = platformFiles({ relyingParties: [relyingParty], moreGroups: [worst, payloads[2] ?? ''] })
    const file = join(from, 'realm.json')
    const hostile = readFileSync(file, 'utf8')
      .replaceAll('"Ada"', JSON.stringify(worst))
      .replaceAll('"Lovelace"', JSON.stringify(payloads[0]))
      .replaceAll(JSON.stringify(ada.email), JSON.stringify(`"${payloads[1]?.replaceAll('"', '')}"@example.com`))
      .replace('"enabled": true', `"enabled": true, "displayName": ${JSON.stringify(worst)}`)
    writeFileSync(file, hostile)
    named = await testGatehouse({ from })
  })
  afterAll(async () => {
    await browser.close()
    await gatehouse.close()
    await named.close()
  })

  interface Watched {
    readonly page: Page
    /** Looks at the page as it is now. */
    expectHarmless(what: string): Promise<void>
  }

  async function watched(): Promise<Watched> {
    const page = await newVisitor(browser)
    const dialogs: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    return {
      page,
      async expectHarmless(what) {
        const planted = await page.evaluate(`document.querySelectorAll('${marks}').length`)
        expect([what, planted, dialogs]).toEqual([what, 0, []])
      },
    }
  }

  const realm = '/auth/realms/platform/protocol/openid-connect'
  const q = encodeURIComponent

  async function signIn(page: Page, at: TestGatehouse, username = 'ada', password = at.passwordOf(username)) {
    await page.getByLabel('Username or email').fill(username)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  test('in the address of any page', async () => {
    const { page, expectHarmless } = await watched()
    const notes = `${realm}/auth?client_id=notes&response_type=code&scope=openid&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`
    const callback = q(`${gatehouse.publicUrl}/notes/callback`)
    for (const payload of polyglots) {
      const p = q(payload)
      for (const path of [
        `/oauth2/sign_in?rd=/${p}`,
        `/oauth2/signed_out?state=/${p}&rd=/${p}`,
        `/oauth2/callback?error=${p}&error_description=${p}&state=${'a'.repeat(43)}:/${p}`,
        `/oauth2/callback?code=${p}&state=${p}`,
        `/dex/auth?client_id=${p}&connector_id=${p}`,
        `/dex/auth/${p}?client_id=${p}`,
        `/dex/auth/keycloak?client_id=gatehouse-proxy&redirect_uri=${p}`,
        `/dex/callback?state=${p}&error=${p}&error_description=${p}`,
        `/dex/approval?req=${p}&hmac=${p}`,
        `/dex/logout?state=${p}&post_logout_redirect_uri=${p}&id_token_hint=${p}`,
        `/dex/${p}`,
        `${realm}/auth?client_id=${p}`,
        `${realm}/auth?client_id=notes&redirect_uri=${p}`,
        `${notes}&redirect_uri=${callback}&login_hint=${p}&state=${p}&ui_locales=${p}`,
        `${realm}/logout?id_token_hint=${p}`,
        `${realm}/logout?client_id=${p}&post_logout_redirect_uri=${p}`,
        `/auth/realms/platform/login-actions/authenticate?session_code=${p}&client_id=${p}&execution=${p}`,
        `/auth/realms/${p}`,
        `/notes/callback?error=${p}&error_description=${p}&state=${p}`,
        `/notes/signed-out?provider=${p}`,
        `/gatehouse/${p}`,
        `/${p}`,
      ]) {
        await page.goto(gatehouse.publicUrl + path)
        await expectHarmless(path)
      }
    }
  })

  test('in a user name that is refused, and shown again', async () => {
    const { page, expectHarmless } = await watched()
    for (const payload of polyglots) {
      await page.goto(`${gatehouse.publicUrl}/echo/`)
      await signIn(page, gatehouse, payload, 'wrong')
      await page.getByRole('alert').waitFor()
      expect(await page.getByLabel('Username or email').inputValue()).toBe(payload)
      await expectHarmless(payload)
    }
  })

  test('in what an app shows of the request, and in what its users write', async () => {
    const { page, expectHarmless } = await watched()
    await page.goto(`${gatehouse.publicUrl}/echo/`)
    await signIn(page, gatehouse)
    await page.waitForURL(`${gatehouse.publicUrl}/echo/`)
    for (const payload of polyglots) {
      await page.goto(
        `${gatehouse.publicUrl}/echo/${q(payload)}?${q(payload)}=${q(payload)}&${payload.replaceAll('#', '')}`,
      )
      await expectHarmless(`echo ${payload}`)
      await page.setExtraHTTPHeaders({ 'x-app': payload, 'x-auth-request-redirect': payload })
      await page.goto(`${gatehouse.publicUrl}/echo/`)
      await page.setExtraHTTPHeaders({})
      await expectHarmless(`echo header ${payload}`)
      await page.goto(`${gatehouse.publicUrl}/notes/`)
      await page.locator('textarea[name=text]').fill(payload)
      await page.getByRole('button', { name: 'Add note' }).click()
      await page.locator('.note').first().waitFor()
      await expectHarmless(`notes ${payload}`)
    }
    expect(await page.locator('.note').count()).toBe(polyglots.length)
  })

  test('in the names of clients, groups and people', async () => {
    const { page, expectHarmless } = await watched()
    await page.goto(
      `${named.publicUrl}${realm}/auth?client_id=${q(worst)}&redirect_uri=${q('https://a.example/')}&response_type=code`,
    )
    expect(await page.locator('body').textContent()).toContain(worst)
    await expectHarmless('login for a client of that name')
    await page.goto(`${named.publicUrl}/echo/`)
    await signIn(page, named, ada.username, ada.password)
    await page.waitForURL(`${named.publicUrl}/echo/`)
    expect(await page.locator('#user').textContent()).toContain('onerror=alert(1)')
    expect(await page.locator('#groups').textContent()).toContain(worst)
    await expectHarmless('echo')
    for (const path of ['/', `${realm}/logout`, '/dex/logout', '/dex/', '/oauth2/sign_out']) {
      await page.goto(named.publicUrl + path)
      await expectHarmless(path)
    }
  })

  test('in a response that posts itself', async () => {
    const { page, expectHarmless } = await watched()
    for (const payload of polyglots) {
      const url = new URL(`${gatehouse.publicUrl}${realm}/auth`)
      const parameters = {
        ...{ client_id: 'notes', response_type: 'code', scope: payload, response_mode: 'form_post', state: payload },
        redirect_uri: `${gatehouse.publicUrl}/notes/callback`,
      }
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      await page.goto(url.href)
      await page.waitForURL(`${gatehouse.publicUrl}/notes/callback`)
      await expectHarmless(payload)
    }
  })
})
