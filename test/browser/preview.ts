import { mkdirSync, writeFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { assetResponse } from '../../src/http/views/assets.ts'
import { launchChromium, newVisitor } from './chromium.ts'
import { samplePages } from './sample-pages.ts'

/**
 * Writes every sample page and its screenshots (light and dark, wide and narrow) to `artifacts/preview/`, and names
 * what scrolls sideways or is too small to touch: `node test/browser/preview.ts [NAME…]`.
 */
const only = process.argv.slice(2)
const folder = new URL('../../artifacts/preview/', import.meta.url)
mkdirSync(folder, { recursive: true })

const pages = Object.entries(await samplePages()).filter(([name]) => only.length === 0 || only.includes(name))
const browser = await launchChromium()
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360, 320]) {
    const tab = await newVisitor(browser, { colorScheme, viewport: { width, height: width > 400 ? 800 : 740 } })
    for (const [name, markup] of pages) {
      await show(tab, markup)
      for (const fault of await faultsOf(tab)) console.error(`${name} ${colorScheme} ${width}: ${fault}`)
      await tab.screenshot({ path: new URL(`${name}-${colorScheme}-${width}.png`, folder).pathname, fullPage: true })
      writeFileSync(new URL(`${name}.html`, folder), markup)
    }
  }
}
await browser.close()

async function show(tab: Page, markup: string): Promise<void> {
  await tab.unrouteAll()
  await tab.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname === '/') return route.fulfill({ contentType: 'text/html; charset=utf-8', body: markup })
    const asset = assetResponse(pathname.slice(pathname.lastIndexOf('/') + 1))
    const contentType = asset.headers.get('content-type') ?? ''
    return route.fulfill({ contentType, body: Buffer.from(await asset.arrayBuffer()) })
  })
  await tab.goto('http://preview.test/')
}

function faultsOf(tab: Page): Promise<readonly string[]> {
  // In the page: kept as text, because the tests are typed for Node, not for a browser.
  return tab.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    const small = [...document.querySelectorAll('.button, .choice, .toggle, label.check, a.brand, input:not([type=hidden], [type=checkbox]), textarea')]
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.height < 43.9 || box.width < 43.9)
      .map(({ element, box }) => 'too small to touch: ' + element.outerHTML.slice(0, 80) + ' ' + box.width + '×' + box.height)
    return [...(scrollWidth > clientWidth ? ['scrolls sideways by ' + (scrollWidth - clientWidth) + ' px'] : []), ...small]
  })()`)
}
