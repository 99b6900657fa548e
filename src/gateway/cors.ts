import { parseGoDuration } from '../kit/duration.ts'
import type { Reader } from '../policy/reader.ts'
import type { HeaderList } from './header-list.ts'
import { matchesText, parseTextMatch, type TextMatch } from './text-matcher.ts'

/** A VirtualService's `corsPolicy`, its answer to preflights made when it is read. */
export interface CorsPolicy {
  readonly origins: readonly TextMatch[]
  /** Set on every answer to an allowed origin, beside the origin itself. Flat. */
  readonly onAnswer: readonly string[]
  /** Of those, what Envoy also tells with a preflight. Flat. */
  readonly onExposed: readonly string[]
  /** Set on the answer to a preflight. Flat; a value of `*` stands for whatever is asked for. */
  readonly onPreflight: readonly string[]
  /** Whether the app answers preflights of origins that are not allowed (`unmatchedPreflights`). */
  readonly forwardsUnmatched: boolean
}

/** What of a request CORS is about. */
interface CorsRequest {
  readonly method: string
  readonly headers: HeaderList
}

const fields = [
  'allowOrigins',
  'allowOrigin',
  'allowMethods',
  'allowHeaders',
  'exposeHeaders',
  'maxAge',
  'allowCredentials',
  'unmatchedPreflights',
]

/** Reads a `corsPolicy`; `undefined` where there is none. */
export function parseCorsPolicy(policy: Reader): CorsPolicy | undefined {
  if (!policy.isPresent) return undefined
  policy.refuseUnknown(fields)
  const exact = policy
    .field('allowOrigin')
    .texts()
    .map((text) => ({ kind: 'exact' as const, text }))
  const matches = policy
    .field('allowOrigins')
    .items()
    .flatMap((item) => parseTextMatch(item) ?? [])
  const list = (name: string, field: string) => {
    const texts = policy.field(field).texts()
    return texts.length === 0 ? [] : [name, texts.join(',')]
  }
  const credentials = policy.field('allowCredentials').flag() ? ['access-control-allow-credentials', 'true'] : []
  const unmatched = policy.field('unmatchedPreflights').text()
  if (unmatched !== undefined && !['UNSPECIFIED', 'FORWARD', 'IGNORE'].includes(unmatched)) {
    policy.field('unmatchedPreflights').error(`\`${unmatched}\` is none of FORWARD and IGNORE`)
  }
  for (const origin of policy.field('allowOrigins').items()) {
    const isEmpty = !['exact', 'prefix', 'regex'].some((kind) => origin.field(kind).text())
    if (isEmpty) origin.error('names no origin')
  }
  const exposed = list('access-control-expose-headers', 'exposeHeaders')
  return {
    origins: matches.length > 0 ? matches : exact,
    onExposed: exposed,
    onAnswer: [...credentials, ...exposed],
    onPreflight: [
      ...credentials,
      ...list('access-control-allow-methods', 'allowMethods'),
      ...list('access-control-allow-headers', 'allowHeaders'),
      ...maxAge(policy.field('maxAge')),
    ],
    forwardsUnmatched: unmatched !== 'IGNORE',
  }
}

function maxAge(reader: Reader): string[] {
  const text = reader.text()
  if (text === undefined) return []
  const milliseconds = parseGoDuration(text)
  if (milliseconds === undefined || milliseconds < 0)
    reader.error(`\`${text}\` is no duration`, 'write for example `24h`')
  return ['access-control-max-age', String(Math.floor((milliseconds ?? 0) / 1000))]
}

/** A preflight (Fetch §3.2.2): a browser asks whether a script of another origin may send a request. */
export function isPreflight({ method, headers }: CorsRequest): boolean {
  return method === 'OPTIONS' && !!headers.get('origin') && !!headers.get('access-control-request-method')
}

/** The head of the answer to a preflight; `undefined` where the origin is not allowed, so the app is asked. Flat. */
export function preflightAnswer(policy: CorsPolicy, request: CorsRequest): readonly string[] | undefined {
  const origin = allowedOrigin(policy, request)
  if (origin === undefined && policy.forwardsUnmatched) return undefined
  const flat = origin === undefined ? [] : ['access-control-allow-origin', origin]
  for (let at = 0; at < policy.onPreflight.length; at += 2) {
    const name = policy.onPreflight[at] ?? ''
    const value = policy.onPreflight[at + 1] ?? ''
    const asked = request.headers.get(name.replace(/allow-methods$/, 'request-method').replace('allow-h', 'request-h'))
    if (value !== '*') flat.push(name, value)
    else flat.push(name, asked ?? '')
  }
  return origin === undefined ? flat : [...flat, ...policy.onExposed]
}

/** What the answer to a request of an allowed origin tells the browser; nothing for others. Flat. */
export function corsHeaders(policy: CorsPolicy, request: CorsRequest): readonly string[] {
  const origin = allowedOrigin(policy, request)
  return origin === undefined ? [] : ['access-control-allow-origin', origin, ...policy.onAnswer]
}

/** The request's origin where the policy allows it (Envoy cors_filter.cc). */
export function allowedOrigin({ origins }: CorsPolicy, { headers }: CorsRequest): string | undefined {
  const origin = headers.get('origin')
  if (!origin) return undefined
  const isAllowed = origins.some(
    (match) => (match.kind === 'exact' && match.text === '*') || matchesText(match, origin, false),
  )
  return isAllowed ? origin : undefined
}
