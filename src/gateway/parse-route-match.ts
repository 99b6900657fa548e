import type { Reader } from '../policy/reader.ts'
import { checkPort } from './check-route.ts'
import { parseTextMatch, type TextMatch } from './text-matcher.ts'
import type { ClaimMatch, NamedMatch, RouteMatch } from './virtual-service.ts'

const matchFields = [
  'name',
  'uri',
  'ignoreUriCase',
  'method',
  'authority',
  'scheme',
  'port',
  'headers',
  'withoutHeaders',
  'queryParams',
  'gateways',
  'statPrefix',
  'sourceLabels',
  'sourceNamespace',
]

/** Reads one entry of `match`. An unknown condition is an error: ignoring it would widen the route. */
export function parseMatch(match: Reader, namespace: string): RouteMatch {
  match.refuseUnknown(matchFields)
  for (const name of ['sourceLabels', 'sourceNamespace']) {
    if (match.field(name).isPresent) match.field(name).error('callers at a gateway have no labels or namespace')
  }
  checkPort(match.field('port'))
  for (const name of ['method', 'authority', 'scheme']) checkPrefix(match.field(name))
  for (const list of ['headers', 'withoutHeaders', 'queryParams']) {
    for (const name of match.field(list).names()) checkPrefix(match.field(list).field(name))
  }
  for (const name of match.field('gateways').texts()) checkGatewayName(name, match.field('gateways'))
  for (const list of ['headers', 'withoutHeaders']) {
    for (const name of match.field(list).names()) checkHeaderName(name, match.field(list))
  }
  const text = (name: string) => (match.field(name).isPresent ? parseTextMatch(match.field(name)) : undefined)
  return {
    place: match.place,
    uri: text('uri'),
    ignoreUriCase: match.field('ignoreUriCase').flag() ?? false,
    method: text('method'),
    authority: text('authority'),
    scheme: text('scheme'),
    port: match.field('port').integer(),
    headers: parseNamed(match.field('headers')),
    withoutHeaders: parseNamed(match.field('withoutHeaders')),
    claims: parseClaims(match.field('headers')),
    withoutClaims: parseClaims(match.field('withoutHeaders')),
    queryParams: parseNamed(match.field('queryParams')),
    gateways: match
      .field('gateways')
      .texts()
      .map((name) => qualified(name, namespace)),
  }
}

function parseNamed(reader: Reader): NamedMatch[] {
  const isQuery = reader.path.at(-1) === 'queryParams'
  return reader
    .names()
    .filter((name) => isQuery || !isClaim(name))
    .map((name) => ({ name: isQuery ? name : name.toLowerCase(), match: parseValue(reader.field(name)) }))
}

function parseValue(item: Reader): TextMatch | undefined {
  const match = item.isPresent ? parseTextMatch(item) : undefined
  return match?.kind === 'regex' && match.text === '*' ? undefined : match
}

const claimPrefix = '@request.auth.claims'

function isClaim(name: string): boolean {
  return name.toLowerCase().startsWith(claimPrefix)
}

/** `@request.auth.claims.a.b` or `@request.auth.claims[a][b]` (Istio pkg/jwt/routing.go); no header of a client. */
function parseClaims(reader: Reader): ClaimMatch[] {
  return reader
    .names()
    .filter(isClaim)
    .flatMap((name) => {
      const rest = name.slice(claimPrefix.length)
      const path = /^(?:\[[^[\]]+\])+$/.test(rest) ? rest.slice(1, -1).split('][') : rest.slice(1).split('.')
      if (!/^(?:\.|\[.*\]$)/.test(rest) || path.some((one) => one === '' || one === ']')) {
        reader.field(name).error('names no claim', `write \`${claimPrefix}.name\` or \`${claimPrefix}[outer][inner]\``)
        return []
      }
      return [{ path, match: parseValue(reader.field(name)) }]
    })
}

/** Only of a path may nothing be asked. */
function checkPrefix(text: Reader): void {
  if (text.field('prefix').value === '') text.error('an empty prefix asks nothing', 'write `{}` for one that is there')
}

function checkHeaderName(name: string, reader: Reader): void {
  if (!isClaim(name) && !/^:?[\w!#$%&'*+.^`|~-]+$/.test(name)) reader.error(`\`${name}\` is no name of a header`)
}

/** A Gateway is named `name` or `namespace/name`. */
export function checkGatewayName(name: string, reader: Reader): void {
  if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(name)) reader.error(`\`${name}\` is no name of a Gateway`)
}

/** `namespace/name` of a resource that may be written without its namespace. */
export function qualified(name: string, namespace: string): string {
  return name === 'mesh' || name.includes('/') ? name : `${namespace}/${name}`
}
