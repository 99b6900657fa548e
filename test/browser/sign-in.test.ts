import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { chromiumPath, launchChromium, lookAt, looks, newVisitor } from './chromium.ts'

describe.skipIf(chromiumPath === undefined)('in a real browser', () => {
  let gatehouse: TestGatehouse
  let browser: Browser

  beforeAll(async () => {
    gatehouse = await testGatehouse()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await gatehouse.close()
  })

  const at = (path: string) => `${gatehouse.publicUrl}${path}`

  async function fillIn(page: Page, username = 'ada', password = gatehouse.passwordOf(username)): Promise<void> {
    await page.getByLabel('Username or email').fill(username)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  async function signedIn(path = '/echo/'): Promise<Page> {
    const page = await newVisitor(browser)
    await page.goto(at(path))
    await fillIn(page)
    await page.waitForURL(at(path))
    return page
  }

  test('a deep link leads through the login to that very page, which knows the user', async () => {
    const page = await newVisitor(browser)
    await page.goto(at('/echo/some/deep?link=1'))
    expect(new URL(page.url()).pathname).toBe('/auth/realms/platform/protocol/openid-connect/auth')
    await fillIn(page)
    await page.waitForURL(at('/echo/some/deep?link=1'))
    await expect(page.getByText('ada@example.com').first().isVisible()).resolves.toBe(true)
    const echo = await page.evaluate(
      async () => (await fetch('/echo/x?format=json')).json() as Promise<Record<string, unknown>>,
    )
    expect(JSON.stringify(echo)).toContain('"kubeflow-userid":"ada@example.com"')
    expect(JSON.stringify(echo)).toContain('platform-admins,platform-users,team/ml')
  })

  test('one sign-in also opens the app that does its own OpenID Connect', async () => {
    const page = await signedIn()
    await page.goto(at('/notes/'))
    await page.waitForURL(at('/notes/'))
    await expect(page.getByText('ada@example.com').first().isVisible()).resolves.toBe(true)
  })

  test('the app with its own OpenID Connect signs in by itself, and shows groups without a slash', async () => {
    const page = await newVisitor(browser)
    await page.goto(at('/notes/'))
    await fillIn(page)
    await page.waitForURL(at('/notes/'))
    const text = await page.locator('body').textContent()
    expect(text).toContain('team/ml')
    expect(text).not.toContain('/team/ml')
  })

  test('a wrong password is refused with a message, and the right one still works', async () => {
    const page = await newVisitor(browser)
    await page.goto(at('/echo/'))
    await fillIn(page, 'ada', 'not it')
    await expect(page.getByRole('alert').textContent()).resolves.toContain('Invalid username or password.')
    await fillIn(page)
    await page.waitForURL(at('/echo/'))
  })

  test('two tabs may sign in at once, in any order', async () => {
    const first = await newVisitor(browser)
    const second = await first.context().newPage()
    await first.goto(at('/echo/first'))
    await second.goto(at('/echo/second'))
    await fillIn(first)
    await first.waitForURL(at('/echo/first'))
    await fillIn(second)
    await second.waitForURL(at('/echo/second'))
  })

  test('the back button after signing in ends at the app, never in an error', async () => {
    const page = await signedIn('/echo/here')
    await page.goBack()
    await page.waitForLoadState()
    const stale = page.getByRole('button', { name: 'Sign in' })
    if (await stale.isVisible()) {
      await fillIn(page)
      await page.waitForURL(at('/echo/here'))
    }
    const text = await page.locator('body').textContent()
    expect(text).toContain('ada@example.com')
  })

  test('signing out says so, and neither the app nor the identity provider lets anyone in without a password', async () => {
    const page = await signedIn()
    await page.goto(at('/notes/'))
    await page.goto(at('/'))
    await page
      .getByRole('link', { name: 'Sign out' })
      .or(page.getByRole('button', { name: 'Sign out' }))
      .first()
      .click()
    await page
      .getByText(/signed out/i)
      .first()
      .waitFor()
    await page.goto(at('/echo/'))
    await page.getByLabel('Password', { exact: true }).waitFor()
    await page.goto(
      at(
        '/auth/realms/platform/protocol/openid-connect/auth?client_id=notes&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&redirect_uri=',
      ) + encodeURIComponent(at('/notes/callback')),
    )
    await page.getByLabel('Password', { exact: true }).waitFor()
  })

  test.each(looks)('pages in $colorScheme at $width pixels fit their window', async (look) => {
    const { colorScheme, width } = look
    const page = await newVisitor(browser, { colorScheme, viewport: { width, height: 800 } })
    const shoot = (name: string) => lookAt(page, name, look)
    await page.goto(at('/'))
    await shoot('login')
    await fillIn(page, 'ada', 'not it')
    await shoot('login-refused')
    await fillIn(page)
    await page.waitForURL(at('/'))
    await shoot('portal')
    await page.goto(at('/echo/some/deep?link=1'))
    await shoot('echo')
    await page.goto(at('/notes/'))
    await shoot('notes')
    await page.goto(at('/'))
    await page.getByRole('link', { name: 'personal access tokens' }).click()
    await page.getByLabel('Name').fill('nightly')
    await page.getByLabel('Paths').fill('/pipeline, /notebook/ada')
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.getByText(/^gha_/).waitFor()
    await shoot('token-new')
    await page.getByRole('link', { name: 'Done' }).click()
    await shoot('tokens')
    await page.goto(at('/auth/realms/platform/protocol/openid-connect/auth?client_id=nobody'))
    await shoot('error')
    await page.goto(at('/oauth2/sign_in'))
    await shoot('sign-in')
    await page.goto(at('/oauth2/sign_out'))
    await shoot('signed-out')
  })
})
