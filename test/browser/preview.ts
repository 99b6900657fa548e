import { mkdirSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { assetResponse } from '../../src/http/views/assets.ts'
import { samplePages } from './sample-pages.ts'

/** Writes every sample page and its screenshots to `artifacts/preview/`: `node test/browser/preview.ts [NAME…]`. */
const only = process.argv.slice(2)
const folder = new URL('../../artifacts/preview/', import.meta.url)
mkdirSync(folder, { recursive: true })

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
const pages = Object.entries(await samplePages()).filter(([name]) => only.length === 0 || only.includes(name))
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: width > 400 ? 800 : 740 } })
    const tab = await context.newPage()
    for (const [name, markup] of pages) {
      await tab.unrouteAll()
      await tab.route('**/*', async (route) => {
        const { pathname } = new URL(route.request().url())
        if (pathname === '/') return route.fulfill({ contentType: 'text/html; charset=utf-8', body: markup })
        const asset = assetResponse(pathname.slice(pathname.lastIndexOf('/') + 1))
        return route.fulfill({
          contentType: asset.headers.get('content-type') ?? '',
          body: Buffer.from(await asset.arrayBuffer()),
        })
      })
      await tab.goto('http://preview.test/')
      const scroll = await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      if (scroll !== 0) console.error(`${name} ${colorScheme} ${width}: scrolls sideways by ${scroll} px`)
      await tab.screenshot({ path: new URL(`${name}-${colorScheme}-${width}.png`, folder).pathname, fullPage: true })
      writeFileSync(new URL(`${name}.html`, folder), markup)
    }
    await context.close()
  }
}
await browser.close()
