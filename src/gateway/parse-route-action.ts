import type { Reader } from '../policy/reader.ts'
import { parseHeaders } from './parse-header-operations.ts'
import { parseRegex } from './text-matcher.ts'
import type { Destination, Redirect, Rewrite, RouteAction } from './virtual-service.ts'

/** Reads what a route does: redirect, answer itself or forward. */
export function parseAction(route: Reader, namespace: string): RouteAction {
  if (route.field('redirect').isPresent) return { kind: 'redirect', redirect: parseRedirect(route.field('redirect')) }
  const direct = route.field('directResponse')
  if (direct.isPresent) {
    const [text, bytes] = [direct.field('body').field('string').text(), direct.field('body').field('bytes').text()]
    return {
      kind: 'answer',
      status: direct.field('status').integer() ?? 200,
      body: text ?? Buffer.from(bytes ?? '', 'base64').toString('utf8'),
    }
  }
  const destinations = route
    .field('route')
    .items()
    .map((item) => parseDestination(item, namespace))
  if (destinations.length === 0) route.error('needs `route`, `redirect`, `directResponse` or `delegate`')
  return { kind: 'forward', destinations, rewrite: parseRewrite(route.field('rewrite')) }
}

function parseDestination(item: Reader, namespace: string): Destination {
  item.refuseUnknown(['destination', 'weight', 'headers'], 'warning')
  return {
    ...parseTarget(item.field('destination'), namespace),
    weight: item.field('weight').integer() ?? 0,
    ...parseHeaders(item.field('headers')),
  }
}

/** Reads a `destination`. */
export function parseTarget(destination: Reader, namespace: string) {
  destination.refuseUnknown(['host', 'port', 'subset'], 'warning')
  if (destination.field('subset').isPresent) {
    destination.field('subset').warn('subsets are not told apart: every one is the whole service')
  }
  const host = destination.field('host').text() ?? ''
  if (host === '') destination.error('a destination needs its `host`')
  return { host, port: destination.field('port').field('number').integer(), namespace }
}

/** Reads a `rewrite`; `undefined` where there is none. */
export function parseRewrite(rewrite: Reader): Rewrite | undefined {
  if (!rewrite.isPresent) return undefined
  rewrite.refuseUnknown(['uri', 'authority', 'uriRegexRewrite'])
  const regex = rewrite.field('uriRegexRewrite')
  const match = regex.isPresent ? parseRegex(regex.field('match')) : undefined
  const groups = [...(regex.field('rewrite').text() ?? '').matchAll(/\\(\d)/g)].map(([, digit]) => Number(digit))
  if (match && Math.max(0, ...groups) > match.matcher('').groupCount()) {
    regex.field('rewrite').error('names a group the pattern does not have')
  }
  return {
    uri: rewrite.field('uri').text(),
    authority: rewrite.field('authority').text(),
    regex: match && { match, rewrite: regex.field('rewrite').text() ?? '' },
  }
}

function parseRedirect(redirect: Reader): Redirect {
  redirect.refuseUnknown(['uri', 'authority', 'scheme', 'port', 'derivePort', 'redirectCode', 'prefixRewrite'])
  const derive = redirect.field('derivePort').text()
  if (derive !== undefined && !['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'].includes(derive)) {
    redirect.field('derivePort').error(`\`${derive}\` is no way to derive a port`)
  }
  return {
    uri: redirect.field('uri').text() || undefined,
    prefix: redirect.field('prefixRewrite').text() || undefined,
    authority: redirect.field('authority').text() || undefined,
    scheme: redirect.field('scheme').text(),
    port: redirect.field('port').integer(),
    keepsPort: derive === 'FROM_REQUEST_PORT',
    status: redirect.field('redirectCode').integer() ?? 301,
  }
}
