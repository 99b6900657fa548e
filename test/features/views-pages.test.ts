import { html } from 'hono/html'
import { expect, test } from 'vitest'
import { alert } from '../../src/http/views/alert.ts'
import { assetResponse, assetUrl } from '../../src/http/views/assets.ts'
import { field, hiddenFields } from '../../src/http/views/field.ts'
import { page, pageResponse } from '../../src/http/views/page.ts'
import { samplePages } from '../browser/sample-pages.ts'

const pages = Object.entries(await samplePages())

test.each(pages)('the %s page has a language, a title, one main heading and one main part', (_name, markup) => {
  expect(markup).toMatch(/^<!doctype html>\n<html lang="en">/)
  expect(markup).toMatch(/<title>[^<]+ · [^<]+<\/title>/)
  expect(markup.match(/<h1[ >]/g)).toHaveLength(1)
  expect(markup.match(/<main /g)).toHaveLength(1)
  expect(markup).toContain('<a class="skip-link" href="#main">')
})

test.each(pages)('every field of the %s page is labelled and every image described', (_name, markup) => {
  const withoutLabelled = markup.replaceAll(/<label[ >].*?<\/label>/gs, '')
  const bare = [...withoutLabelled.matchAll(/<(input|textarea|select)\b[^>]*>/g)].map(([tag]) => tag)
  expect(bare.filter((tag) => !/type="hidden"|aria-label/.test(tag))).toEqual([])
  expect([...markup.matchAll(/<img\b[^>]*>/g)].filter(([tag]) => !/ alt="/.test(tag))).toEqual([])
})

test.each(pages)('the %s page has nothing inline that its policy would refuse', (_name, markup) => {
  expect(markup).not.toMatch(/<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:/i)
})

test.each(pages)('no id comes twice on the %s page', (_name, markup) => {
  const ids = [...markup.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
  expect(ids).toEqual([...new Set(ids)])
})

test('the platform’s name stands beside the mark, in the tab, and is escaped', async () => {
  const markup = String(await page({ title: 'A <b>', assetsPath: '/a', body: html`<p>x</p>`, brandName: 'M & L' }))
  expect(markup).toContain('<title>A &lt;b&gt; · M &amp; L</title>')
  expect(markup).toContain('<span>M &amp; L</span>')
})

test('a page forbids inline code, framing and caching, and takes other headers', async () => {
  const response = await pageResponse(html`<p>x</p>`, { status: 418, headers: { 'x-frame-options': 'SAMEORIGIN' } })
  expect([response.status, response.headers.get('x-frame-options')]).toEqual([418, 'SAMEORIGIN'])
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
  expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
})

test('a field ties hint and error to its input and escapes its value', async () => {
  const markup = String(
    await field({ label: 'Text', name: 'text', value: '"><script>', hint: 'Short.', error: 'Too long.', maxLength: 9 }),
  )
  expect(markup).toContain('value="&quot;&gt;&lt;script&gt;"')
  expect(markup).toContain('maxlength="9"')
  expect(markup).toContain('aria-describedby="text-hint text-error" aria-invalid="true"')
  expect(markup).toContain('<span class="error" id="text-error">Too long.</span>')
})

test('hidden fields and alerts escape what they carry', async () => {
  expect(String(await hiddenFields({ csrf: '"x"' }))).toBe('<input type="hidden" name="csrf" value="&quot;x&quot;">')
  expect(String(await alert('<b>'))).toBe('<div class="alert" role="alert">&lt;b&gt;</div>')
  expect(String(await alert('saved', 'success'))).toBe('<div class="alert success" role="status">saved</div>')
})

test('a file asked for by its version may be kept for a year, without one for an hour', () => {
  const cacheControl = (url: string) => assetResponse('gatehouse.css', new Request(url)).headers.get('cache-control')
  expect(cacheControl(`http://x${assetUrl('/dex/static', 'gatehouse.css')}`)).toBe(
    'public, max-age=31536000, immutable',
  )
  expect(cacheControl('http://x/dex/static/gatehouse.css')).toBe('public, max-age=3600')
  expect(cacheControl('http://x/dex/static/gatehouse.css?v=other')).toBe('public, max-age=3600')
  expect(assetResponse('gatehouse.css').headers.get('cache-control')).toBe('public, max-age=3600')
})

test('who has a file already is told so', async () => {
  const etag = assetResponse('page.js').headers.get('etag') ?? ''
  const again = assetResponse('page.js', new Request('http://x/page.js', { headers: { 'if-none-match': etag } }))
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('no other file is served', () => {
  for (const name of ['', 'tokens.css', '../assets.ts', '__proto__', 'constructor']) {
    expect(assetResponse(name).status).toBe(404)
  }
})
