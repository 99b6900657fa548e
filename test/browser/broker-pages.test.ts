import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { chromiumPath, launchChromium, lookAt, looks, newVisitor } from './chromium.ts'

/** Two ways in, and an application that has to be approved. */
const dexConfig = `issuer: http://dex.auth.svc.cluster.local:5556/dex
storage: { type: memory }
web: { http: 0.0.0.0:5556 }
enablePasswordDB: true
staticClients:
  - { id: platform, name: Your platform, secret: a-secret-for-this-test-only, redirectURIs: [/oauth2/callback] }
staticPasswords:
  - email: kay@example.com
    hash: $2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W
    username: kay
    userID: "1"
connectors:
  - { type: mockCallback, id: mock, name: Example, config: {} }
`

describe.skipIf(chromiumPath === undefined)('the pages of proxy and broker in a real browser', () => {
  let gatehouse: TestGatehouse
  let browser: Browser

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-pages-'))
    writeFileSync(join(directory, 'config.yaml'), dexConfig)
    writeFileSync(join(directory, 'oauth2_proxy.cfg'), proxyConfig)
    gatehouse = await testGatehouse({ from: directory })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await gatehouse.close()
  })

  test.each(looks)(
    'sign-in page, choice, password and approval lead in, in $colorScheme at $width pixels',
    async (look) => {
      const { colorScheme, width } = look
      const page = await newVisitor(browser, { colorScheme, viewport: { width, height: 800 } })
      const shoot = (name: string) => lookAt(page, name, look)
      await page.goto(`${gatehouse.publicUrl}/echo/`)
      await shoot('proxy-sign-in')
      await page.getByRole('button').first().click()
      await page.getByText('Example').waitFor()
      await shoot('connector-choice')
      await page.getByText('Email').click()
      await page.locator('input[name=login]').fill('kay@example.com')
      await shoot('broker-password')
      await page.locator('input[name=password]').fill('password')
      await page.locator('button[type=submit]').first().click()
      await page.locator('[name=approval]').first().waitFor()
      await shoot('approval')
      await page.getByRole('button', { name: 'Allow' }).click()
      await page.waitForURL(`${gatehouse.publicUrl}/echo/`)
      expect(await page.locator('body').textContent()).toContain('kay@example.com')
    },
  )
})

const proxyConfig = `provider = "oidc"
client_id = "platform"
client_secret = "a-secret-for-this-test-only"
prompt = "none"
oidc_issuer_url = "http://dex.auth.svc.cluster.local:5556/dex"
skip_oidc_discovery = true
login_url = "/dex/auth"
redeem_url = "http://dex.auth.svc.cluster.local:5556/dex/token"
oidc_jwks_url = "http://dex.auth.svc.cluster.local:5556/dex/keys"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
email_domains = "*"
upstreams = [ "static://200" ]
set_authorization_header = true
scope = "openid profile email"
`
