/**
 * Room `demo`: two small apps that show the ways an app can know its user: `echo` reads the gateway's headers, `notes`
 * signs in by itself. They use nothing an app of yours could not use.
 */
import { Hono } from 'hono'
import { decodeHeader, headerText } from '../http/header-text.ts'
import type { Part } from '../http/part.ts'
import { assetResponse } from '../http/views/assets.ts'
import { pageResponse } from '../http/views/page.ts'
import { type Echo, echoPage } from './echo-page.ts'

/** Opens the app: any path below `basePath` answers with what it received, as a page or as JSON. */
export function openEcho({ basePath }: { readonly basePath: string }): Part {
  const assetsPath = `${basePath}/static`
  const app = new Hono()
  for (const file of ['gatehouse.css', 'gatehouse.svg', 'page.js']) {
    app.get(`${assetsPath}/${file}`, (c) => assetResponse(file, c.req.raw))
  }
  app.all('*', (c) => {
    const echo = echoOf(c.req.raw)
    const wantsJson = c.req.query('format') === 'json' || /\bapplication\/json\b/.test(c.req.header('accept') ?? '')
    if (!wantsJson) return pageResponse(echoPage(echo, { basePath, assetsPath }))
    return Response.json(echo, { headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } })
  })
  return { fetch: (request, context) => app.fetch(request, context) }
}

function echoOf(request: Request): Echo {
  const { pathname, search } = new URL(request.url)
  const all = [...request.headers].map(([name, value]) => [name, decodeHeader(value)] as const)
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    user: headerText(request.headers, 'kubeflow-userid') ?? null,
    groups: (headerText(request.headers, 'kubeflow-groups') ?? '').split(','),
    headers: Object.fromEntries(all.filter(([name]) => !isSecret(name))),
    secrets: Object.fromEntries(all.filter(([name]) => isSecret(name)).map(([name, value]) => [name, value.length])),
  }
}

function isSecret(name: string): boolean {
  return /authorization|cookie|token|assertion|secret|password|api-?key/.test(name)
}
