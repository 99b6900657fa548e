import { expect, test } from 'vitest'
import { launchChromium, newVisitor } from '../browser/chromium.ts'
import { ada } from '../world/platform-files.ts'
import type { FrontWorld } from './front-world.ts'

/** A server in front, used by a real browser, whose word for what is a page and what is not is its own. */
export function browserTest(world: () => FrontWorld): void {
  test('in Chromium: sign-in to the deep link, a script and a WebSocket with and without session, sign-out', async () => {
    const { origin } = world()
    const browser = await launchChromium()
    const page = await newVisitor(browser)
    const fetched = () =>
      page.evaluate(`fetch('/reports/1').then(async (answer) => [answer.status, (await answer.json()).error])`)
    const connected = () =>
      page.evaluate(`new Promise((resolve) => {
        const socket = new WebSocket('${origin.replace('http', 'ws')}/socket')
        socket.onmessage = ({ data }) => resolve(JSON.parse(data).url)
        socket.onerror = () => resolve('refused')
      })`)
    const signIn = async () => {
      await page.getByLabel('Username').fill(ada.username)
      await page.getByLabel('Password', { exact: true }).fill(ada.password)
      await page.getByRole('button', { name: 'Sign in' }).click()
    }

    await page.goto(`${origin}/open/page`)
    expect([await fetched(), await connected()]).toEqual([[401, 'login_required'], 'refused'])
    await page.goto(`${origin}/reports/2026?month=11&tab=b%20c#part`)
    await signIn()
    await page.getByText(ada.email).waitFor()
    expect(page.url()).toMatch(`${origin}/reports/2026?month=11&tab=b%20c`)
    expect([await fetched(), await connected()]).toEqual([[200, undefined], '/socket'])

    await page.goto(`${origin}/oauth2/sign_out`)
    await page.getByRole('button').first().click() // the provider asks: an ID token with so many groups fits no URL
    await page.waitForURL(`${origin}/oauth2/callback*`)
    await page.goto(`${origin}/open/page`)
    expect([await fetched(), await connected()]).toEqual([[401, 'login_required'], 'refused'])
    await page.goto(`${origin}/reports`)
    await page.getByLabel('Password', { exact: true }).waitFor()
    await browser.close()
  })
}
