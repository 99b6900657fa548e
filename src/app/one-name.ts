import type { IncomingMessage } from 'node:http'

/**
 * Where a page is to be asked for that was asked for by an address of this machine instead of its name: cookies of
 * `127.0.0.1` are not those of `localhost`, so a sign-in begun there could never end. `undefined` for everything else.
 */
export function pageUnderOurName(
  { method, url = '/', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  publicUrl: string,
): string | undefined {
  const asked = /^(?:127\.0\.0\.1|\[::1\])(?::(\d+))?$/.exec(headers.host ?? '')
  if (!asked) return undefined
  const { hostname, port } = new URL(publicUrl)
  if (hostname !== 'localhost' || (asked[1] ?? '80') !== (port || '80')) return undefined
  const isPage = method === 'GET' && url.startsWith('/') && headers.accept?.includes('text/html') === true
  return isPage ? `${publicUrl}${url}` : undefined
}
