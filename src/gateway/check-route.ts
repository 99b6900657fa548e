import type { Reader } from '../policy/reader.ts'

/**
 * What Istio's webhook refuses of one entry of `http` beyond what reading it shows (istio pkg/config/validation
 * `validateHTTPRoute`): members that cannot stand together, and values no proxy could follow.
 */
export function checkRoute(route: Reader): void {
  for (const [one, other] of exclusive) {
    if (route.field(one).isPresent && route.field(other).isPresent)
      route.error(`\`${one}\` and \`${other}\` exclude each other`)
  }
  checkRedirect(route)
  checkStatus(route.field('directResponse'))
  checkRewrite(route.field('rewrite'))
  checkAuthority(route)
  checkWeights(route.field('route'))
  const fault = route.field('fault')
  if (fault.isPresent && !fault.field('abort').isPresent && !fault.field('delay').isPresent) {
    fault.error('needs an `abort` or a `delay`')
  }
  const retries = route.field('retries')
  const isOff = retries.isPresent && (retries.field('attempts').integer() ?? 0) === 0
  for (const name of ['perTryTimeout', 'retryOn']) {
    if (isOff && retries.field(name).isPresent) retries.error(`\`${name}\` means nothing where \`attempts\` is 0`)
  }
}

const exclusive = [
  ['redirect', 'route'],
  ['redirect', 'directResponse'],
  ['redirect', 'rewrite'],
  ['redirect', 'fault'],
  ['directResponse', 'route'],
  ['directResponse', 'rewrite'],
  ['directResponse', 'fault'],
  ['mirror', 'mirrors'],
] as const

function checkRedirect(route: Reader): void {
  const redirect = route.field('redirect')
  if (!redirect.isPresent) return
  const prefix = redirect.field('prefixRewrite')
  const uris = route
    .field('match')
    .items()
    .map((match) => match.field('uri'))
  if (prefix.isPresent && redirect.field('uri').isPresent) prefix.error('`uri` and `prefixRewrite` exclude each other')
  if (prefix.isPresent && uris.some((uri) => uri.isPresent && !uri.field('prefix').isPresent)) {
    prefix.error('needs matches of `uri` by `prefix`: nothing else is a prefix')
  }
  const says = ['uri', 'authority', 'scheme', 'port', 'derivePort', 'prefixRewrite']
  if (!says.some((name) => redirect.field(name).value)) redirect.error('says nothing of where it leads')
  const code = redirect.field('redirectCode')
  const status = code.integer() ?? 301
  if (status < 300 || status > 399) code.error(`${status} is no status of a redirect`)
}

function checkStatus(direct: Reader): void {
  const status = direct.field('status').integer() ?? 0
  if (direct.isPresent && (status < 200 || status > 599)) direct.error('needs a `status` from 200 to 599')
}

function checkRewrite(rewrite: Reader): void {
  if (!rewrite.isPresent) return
  const [uri, regex] = [rewrite.field('uri'), rewrite.field('uriRegexRewrite')]
  if (uri.isPresent && regex.isPresent) rewrite.error('`uri` and `uriRegexRewrite` exclude each other')
  if (!uri.isPresent && !regex.isPresent && !rewrite.field('authority').isPresent) rewrite.error('rewrites nothing')
  if (regex.isPresent && !(regex.field('match').text() && regex.field('rewrite').text())) {
    regex.error('needs both `match` and `rewrite`')
  }
}

function checkAuthority(route: Reader): void {
  const request = route.field('headers').field('request')
  const names = [...request.field('set').names(), ...request.field('add').names()]
  if (
    route.field('rewrite').field('authority').isPresent &&
    names.some((name) => /^(?:host|:authority)$/i.test(name))
  ) {
    request.error('sets the host, and so does `rewrite.authority`')
  }
}

function checkWeights(destinations: Reader): void {
  const weights = destinations.items().map((item) => item.field('weight').integer() ?? 0)
  if (weights.some((weight) => weight < 0)) destinations.error('a weight cannot be negative')
  else if (weights.length > 1 && weights.every((weight) => weight === 0)) {
    destinations.error('no destination has a weight, so none is ever chosen', 'give each its `weight`')
  }
  for (const item of destinations.items()) {
    const destination = item.field('destination')
    if (destination.field('host').value === '*') destination.field('host').error('`*` is no service')
    checkPort(destination.field('port').field('number'))
  }
}

/** A port that is none is an error. */
export function checkPort(reader: Reader): void {
  const port = reader.integer() ?? 1
  if (port < 1 || port > 65_535) reader.error(`${port} is no port`)
}

const hostLabels = /^(?:\*|\*?[a-z0-9-]+)(?:\.[a-z0-9-]+)*\.?$/i

/** A host that is neither a name nor a wildcard for what stands before its first dot is an error. */
export function checkHost(host: string, reader: Reader): void {
  if (!hostLabels.test(host)) reader.error(`\`${host}\` is no host`, 'write a name, `*.name` or `*`, without a port')
}

/** Whether a host is one of a wildcard's. */
export function covers(wildcard: string, host: string): boolean {
  return wildcard.startsWith('*') && host.endsWith(wildcard.slice(1)) && host !== wildcard
}
