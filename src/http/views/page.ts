import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that has been escaped already: what the `html` tag returns. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** What every page of Gatehouse is made from. */
export interface PageProps {
  /** Shown in the browser's tab, before the product's name. */
  readonly title: string
  /** Path under which this part serves the shared files (`/dex/static`), no trailing slash. */
  readonly assetsPath: string
  /** The content of `<main>`. */
  readonly body: Html
  /** `narrow`: one card in the middle (sign-in); `wide`: a page (portal). */
  readonly width?: 'narrow' | 'wide'
  /** Loads `page.js` (enhancements only: every page works without). */
  readonly script?: boolean
}

/** A whole document in the common design. */
export function page({ title, assetsPath, body, width = 'narrow', script = false }: PageProps): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · Gatehouse</title>
<link rel="icon" href="${assetsPath}/gatehouse.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assetsPath}/gatehouse.css">
${script ? html`<script src="${assetsPath}/page.js" defer></script>` : ''}
</head>
<body class="${width}">
<main id="main">${body}</main>
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
