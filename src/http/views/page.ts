import { html } from 'hono/html'
import { assetUrl } from './assets.ts'
import { brand } from './brand.ts'
import type { Html } from './html.ts'

export type { Html } from './html.ts'

/** What every page of Gatehouse is made from. */
export interface PageProps {
  /** Shown in the browser's tab, before the platform's name. */
  readonly title: string
  /** Path under which this part serves the shared files (`/dex/static`), no trailing slash. */
  readonly assetsPath: string
  /** The content of `<main>`. */
  readonly body: Html
  /** `narrow`: one card in the middle (sign-in); `wide`: a page (portal). */
  readonly width?: 'narrow' | 'wide'
  /** Loads `page.js` (enhancements only: every page works without). */
  readonly script?: boolean
  /** The platform's name, beside the mark and in the tab. */
  readonly brandName?: string
  /** Makes mark and name a link. Leave it out where leaving the page would lose a sign-in. */
  readonly brandHref?: string | undefined
  /** What stands at the end of the top bar: who is signed in, and the way out. */
  readonly topbar?: Html | undefined
  /** Shown in the footer, for whoever asks for help. */
  readonly requestId?: string | undefined
}

/** A whole document in the common design. */
export function page(props: PageProps): Html {
  const { title, assetsPath, body, width = 'narrow', brandName = 'Gatehouse', brandHref, topbar, requestId } = props
  const mark = brand({ name: brandName, assetsPath, ...(brandHref === undefined ? {} : { href: brandHref }) })
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · ${brandName}</title>
<link rel="icon" href="${assetUrl(assetsPath, 'gatehouse.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assetUrl(assetsPath, 'gatehouse.css')}">
${props.script ? html`<script src="${assetUrl(assetsPath, 'page.js')}" defer></script>` : ''}
</head>
<body class="${width}">
<a class="skip-link" href="#main">Skip to content</a>
<header class="site-header">${width === 'wide' ? html`<div class="topbar">${mark}${topbar ?? ''}</div>` : mark}</header>
<main id="main" tabindex="-1">${body}</main>
<footer class="site-footer"><span>Secured by Gatehouse</span>${
    requestId === undefined ? '' : html`<span>Request <code>${requestId}</code></span>`
  }</footer>
</body>
</html>`
}

/** Headers of every page: nothing inline, nothing foreign, never framed, never cached. */
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Answers with a page. `headers` replace the standard ones of the same name. */
export async function pageResponse(
  markup: Html,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  return new Response(String(await markup), { status, headers: { ...pageHeaders, ...headers } })
}
