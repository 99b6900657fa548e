import { readFileSync } from 'node:fs'

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const names = ['gatehouse.css', 'gatehouse.svg', 'page.js'] as const

const assets = new Map(
  names.map((name) => [
    name as string,
    {
      body: readFileSync(new URL(`./static/${name}`, import.meta.url)),
      type: types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    },
  ]),
)

/** One of the files every page shares (`gatehouse.css`, …); 404 for other names. */
export function assetResponse(name: string): Response {
  const asset = assets.get(name)
  if (!asset) return new Response('Not Found\n', { status: 404 })
  return new Response(asset.body, {
    headers: {
      'content-type': asset.type,
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
    },
  })
}
