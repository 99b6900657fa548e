import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The files every page shares, each with the sources it is put together from. */
const sources = {
  'gatehouse.css': ['tokens', 'page', 'components', 'form', 'portal', 'preferences'].map(
    (name) => `styles/${name}.css`,
  ),
  'gatehouse.svg': ['static/gatehouse.svg'],
  'page.js': ['static/page.js'],
} as const

/** Their names. */
export type AssetName = keyof typeof sources

const assets = new Map(Object.entries(sources).map(([name, paths]) => [name, loadAsset(name, paths)]))

function loadAsset(name: string, paths: readonly string[]) {
  const body = Buffer.concat(paths.map((path) => readFileSync(new URL(`./${path}`, import.meta.url))))
  return {
    body,
    type: types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    version: createHash('sha256').update(body).digest('base64url').slice(0, 12),
  }
}

/** The URL of a shared file under a part's path, with its version, so that browsers may keep it for good. */
export function assetUrl(assetsPath: string, name: AssetName): string {
  return `${assetsPath}/${name}?v=${assets.get(name)?.version}`
}

/**
 * One of the files every page shares (`gatehouse.css`, …); 404 for other names. With the `request` at hand it answers
 * 304 to who has the file, and lets one asked for by version (`assetUrl`) be kept for a year.
 */
export function assetResponse(name: string, request?: Request): Response {
  const asset = assets.get(name)
  if (!asset) return new Response('Not Found\n', { status: 404 })
  const isVersioned = request !== undefined && new URL(request.url).searchParams.get('v') === asset.version
  const etag = `"${asset.version}"`
  const headers = {
    'content-type': asset.type,
    'cache-control': isVersioned ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
    etag,
    'x-content-type-options': 'nosniff',
  }
  if (request?.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers })
  return new Response(asset.body, { headers })
}
