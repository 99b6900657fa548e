import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { type JsonObject, parseJwt } from '../tokens/jwt.ts'
import type { ObservedRequest, Observer, RefusalCause } from './observer.ts'
import { openRequestLines } from './request-lines.ts'
import { withoutSecrets } from './without-secrets.ts'

/** A refusal as it is remembered: enough to explain it later, never a secret, token or cookie. */
export interface RecordedDecision {
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly status: number
  readonly method: string
  readonly scheme: string
  readonly host: string
  /** The target as sent, values of telling names left out. */
  readonly target: string
  /** The normalised path, which was judged. */
  readonly path: string
  /** Headers that say what kind of request it was; none of them identifies anyone. */
  readonly headers: Readonly<Record<string, string>>
  /** The word before the credential (`Bearer`, `Basic`); empty for another form, absent without the header. */
  readonly authorization?: string
  readonly hasCookies: boolean
  readonly peerAddress: string
  readonly clientAddress: string
  /** `namespace/name` of the VirtualService, and where its route stands. */
  readonly route?: { readonly service: string; readonly place: string }
  readonly cause: RecordedCause
  readonly identity?: RecordedIdentity
}

/** Why; rules by the id Istio gives them, `none` where no ALLOW rule matched. */
export type RecordedCause =
  | { readonly kind: 'policy'; readonly rule: string; readonly place?: string }
  | { readonly kind: 'provider'; readonly provider: string; readonly isError: boolean }
  | { readonly kind: 'token'; readonly text: string }
  | { readonly kind: 'gateway'; readonly reason: string }
  /** `reason`: what the part said of the request in its log; empty where it said nothing. */
  | { readonly kind: 'part'; readonly part: string; readonly reason: string }

/** Who the request said it was: claims of its token that name somebody, not the token. */
export interface RecordedIdentity {
  readonly isVerified: boolean
  readonly claims: JsonObject
}

/** The last refusals of a gateway, the oldest forgotten first. */
export interface DecisionRing {
  readonly observer: Observer
  /** The same log; what is said in it of a request is kept for a moment, as the reason where a part refuses it. */
  overhear(log: Log): Log
  /** Oldest first. */
  list(): readonly RecordedDecision[]
  /** What was recorded since the last call, oldest first. */
  takeNew(): readonly RecordedDecision[]
}

/** Opens a ring of `size` refusals. Requests that pass cost nothing: nobody is told of them. */
export function openDecisionRing({ size = 1000, clock }: { size?: number; clock: Clock }): DecisionRing {
  let kept: RecordedDecision[] = []
  let fresh = 0
  const lines = openRequestLines()
  return {
    observer: {
      refused(request, cause) {
        const status = statusOf(cause)
        if (status < 400) return // a redirect to the sign-in tells nobody an id to ask about
        kept.push(recorded(request, recordedCause(cause, lines.about(request.requestId)), { status, at: clock.now() }))
        fresh += 1
        if (kept.length >= 2 * size) kept = kept.slice(-size)
      },
    },
    overhear: lines.overhear,
    list: () => kept.slice(-size),
    takeNew() {
      const taken = fresh === 0 ? [] : kept.slice(-Math.min(fresh, size))
      fresh = 0
      return taken
    },
  }
}

function statusOf(cause: RefusalCause): number {
  if (cause.kind === 'policy') return 403
  return cause.kind === 'token' ? cause.refusal.status : cause.status
}

const longestText = 2048
const toldHeaders = [
  'accept',
  'access-control-request-method',
  'content-type',
  'origin',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'upgrade',
  'user-agent',
  'x-requested-with',
]

function recorded(
  request: ObservedRequest,
  cause: RecordedCause,
  { status, at }: { status: number; at: number },
): RecordedDecision {
  const { requestId, method, scheme, host, path, headers, peerAddress, clientAddress } = request
  const { url, headers: sent } = request.request
  const route = routeOf(request)
  const identity = identityOf(request)
  const told = toldHeaders.flatMap((name) => {
    const value = headers.get(name) ?? (name === 'upgrade' ? sent.upgrade : undefined) // of the connection: stripped
    return value === undefined ? [] : [[name, value.slice(0, 256)] as const]
  })
  return {
    ...{ requestId, at, status, method, scheme, host: host.slice(0, 256) },
    target: withoutSecrets(url ?? path).slice(0, longestText),
    path: withoutSecrets(path).slice(0, longestText),
    headers: Object.fromEntries(told),
    ...(sent.authorization === undefined ? {} : { authorization: schemeOf(sent.authorization) }),
    hasCookies: sent.cookie !== undefined,
    ...{ peerAddress, clientAddress },
    ...(route ? { route } : {}),
    cause,
    ...(identity ? { identity } : {}),
  }
}

/** Only the schemes people use: any other first word could be the credential itself. */
function schemeOf(authorization: string): string {
  return /^(?:bearer|basic|digest|negotiate) /i.exec(authorization)?.[0].trimEnd() ?? ''
}

function routeOf({ route }: ObservedRequest): RecordedDecision['route'] {
  if (!route) return undefined
  const { file, line } = route.match?.place ?? route.route.place
  return { service: `${route.service.namespace}/${route.service.name}`, place: textOf({ file, line }) }
}

function recordedCause(cause: RefusalCause, said: string): RecordedCause {
  if (cause.kind === 'token') return { kind: 'token', text: cause.refusal.text }
  if (cause.kind === 'provider') return { kind: 'provider', provider: cause.provider, isError: cause.isError }
  if (cause.kind === 'gateway') return { kind: 'gateway', reason: cause.reason.slice(0, longestText) }
  if (cause.kind === 'part') return { kind: 'part', part: cause.part, reason: said }
  if (!cause.rule) return { kind: 'policy', rule: 'none' }
  return { kind: 'policy', rule: cause.rule.id, place: textOf(cause.rule.rule.place) }
}

function textOf({ file, line }: { readonly file: string; readonly line?: number | undefined }): string {
  return line === undefined ? file : `${file}:${line}`
}

const namingClaims = ['iss', 'sub', 'aud', 'azp', 'exp', 'nbf', 'iat', 'email', 'preferred_username', 'groups']
const longestToken = 16_384
const longestClaim = 2048

/** Of the verified token, else of the one the client sent or the provider answered with. */
function identityOf({ claims, headers }: ObservedRequest): RecordedIdentity | undefined {
  if (claims) return { isVerified: true, claims: named(claims) }
  const token = /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1]
  if (token === undefined || token.length > longestToken) return undefined
  const parsed = parseJwt(token)
  return 'claims' in parsed ? { isVerified: false, claims: named(parsed.claims) } : undefined
}

function named(claims: JsonObject): JsonObject {
  const told = namingClaims.flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    return value === undefined || JSON.stringify(value).length > longestClaim ? [] : [[name, value] as const]
  })
  return Object.fromEntries(told)
}
