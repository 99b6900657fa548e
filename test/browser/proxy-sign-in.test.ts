import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemRandom } from '../../src/kit/random.ts'
import { extAuthzHandler } from '../../src/proxy/transports/ext-authz-http.ts'
import { proxyWorld } from '../features/proxy-world.ts'
import { chromiumPath, launchChromium, lookAt, looks, newVisitor } from './chromium.ts'

describe.skipIf(chromiumPath === undefined)('the sign-in page of the proxy in a real browser', () => {
  let browser: Browser
  let server: Server
  let origin = ''

  beforeAll(async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'htpasswd-')), 'users')
    writeFileSync(file, `ada:${hashSync('lovelace', { cost: 4 })}\n`)
    const { proxy } = await proxyWorld({ htpasswd_file: file, cookie_secure: false, api_routes: [] })
    server = createServer(extAuthzHandler(proxy, { random: systemRandom, requestIdHeader: 'x-request-id' }))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  test('name and password lead back to the very place that was asked for, fragment included', async () => {
    const page = await newVisitor(browser)
    await page.goto(`${origin}/deep/page?x=1#part`)
    await page.getByLabel('User name').fill('ada')
    await page.getByLabel('Password', { exact: true }).fill('wrong')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('User name or password is wrong.').waitFor()
    await page.getByLabel('Password', { exact: true }).fill('lovelace')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('Authenticated').waitFor()
    expect(page.url()).toBe(`${origin}/deep/page?x=1#part`)
  })

  test('the provider’s button takes the place along, fragment included', async () => {
    const page = await newVisitor(browser)
    const starts: string[] = []
    await page.route('**/oauth2/start*', (route) => {
      starts.push(new URL(route.request().url()).searchParams.get('rd') ?? '')
      return route.fulfill({ body: 'started' })
    })
    await page.goto(`${origin}/deep/page?x=1#part`)
    await page.getByRole('button', { name: 'Sign in with Dex' }).click()
    await page.getByText('started').waitFor()
    expect(starts).toEqual(['/deep/page?x=1#part'])
  })

  test('the page fits every window', async () => {
    for (const look of looks) {
      const { colorScheme, width } = look
      const page = await newVisitor(browser, { colorScheme, viewport: { width, height: 800 } })
      await page.goto(`${origin}/page`)
      await lookAt(page, 'proxy-sign-in', look)
    }
  })
})
