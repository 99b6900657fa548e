import { parseGoDuration } from '../kit/duration.ts'
import type { Place, Reader } from './reader.ts'
import { byAge, parseResource, type Resource } from './resource.ts'
import { appliesTo, parseScope, type Scope, type Workload } from './scope.ts'

/** A RequestAuthentication: which tokens are verified and what of them is told onward. */
export interface RequestAuthentication extends Resource {
  readonly scope: Scope
  readonly jwtRules: readonly JwtRule[]
}

/** One issuer's tokens. */
export interface JwtRule {
  readonly place: Place
  /** Exact `iss`; empty accepts any. */
  readonly issuer: string
  /** One of these must be in `aud`; empty accepts any. */
  readonly audiences: readonly string[]
  /** Where the keys are; neither this nor `jwks` means OpenID discovery at the issuer. */
  readonly jwksUri: string | undefined
  /** The key set itself, parsed. */
  readonly jwks: unknown
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[]
  readonly fromParams: readonly string[]
  readonly fromCookies: readonly string[]
  /** Header names in lower case. */
  readonly outputPayloadToHeader: string | undefined
  readonly outputClaimToHeaders: readonly { readonly header: string; readonly claim: string }[]
  readonly forwardOriginalToken: boolean
  /** Of a key set fetch, milliseconds. */
  readonly timeoutMilliseconds: number
  /** Claims that are a list written with spaces, beside `scope` and `permission`. */
  readonly spaceDelimitedClaims: readonly string[]
}

const ruleFields = [
  'issuer',
  'audiences',
  'jwksUri',
  'jwks_uri',
  'jwks',
  'fromHeaders',
  'fromParams',
  'fromCookies',
  'outputPayloadToHeader',
  'outputClaimToHeaders',
  'forwardOriginalToken',
  'timeout',
  'spaceDelimitedClaims',
]
const defaultTimeoutMilliseconds = 5000

/** Reads a RequestAuthentication; what cannot be honoured is a problem of severity error. */
export function parseRequestAuthentication(document: Reader, defaultNamespace: string): RequestAuthentication {
  const resource = parseResource(document, defaultNamespace)
  const spec = document.field('spec')
  spec.refuseUnknown(['selector', 'targetRef', 'targetRefs', 'jwtRules'])
  return { ...resource, scope: parseScope(spec), jwtRules: spec.field('jwtRules').items().map(parseJwtRule) }
}

/**
 * The rules of every RequestAuthentication at a workload, in the order they are tried: sorted by issuer (Istio
 * pilot/pkg/security/authn/policy_applier.go), those of one issuer by their policies, the root namespace's first, then by
 * age (pilot/pkg/model/authentication.go).
 */
export function mergeJwtRules(
  policies: readonly RequestAuthentication[],
  workload: Workload,
  rootNamespace: string,
): readonly JwtRule[] {
  return policies
    .filter((policy) => appliesTo(policy, workload, rootNamespace))
    .toSorted(byAge)
    .toSorted((a, b) => Number(b.namespace === rootNamespace) - Number(a.namespace === rootNamespace))
    .flatMap((policy) => policy.jwtRules)
    .toSorted((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
}

function parseJwtRule(rule: Reader): JwtRule {
  rule.refuseUnknown(ruleFields)
  const jwksUri = (rule.field('jwksUri').isPresent ? rule.field('jwksUri') : rule.field('jwks_uri')).text()
  const issuer = rule.field('issuer').text() ?? ''
  if (jwksUri !== undefined && rule.field('jwks').isPresent) {
    rule.field('jwks').error('stands beside `jwksUri`', 'keep one of them')
  }
  if (jwksUri !== undefined) checkUrl(rule.field('jwksUri'), jwksUri)
  else if (!rule.field('jwks').isPresent) checkUrl(rule.field('issuer'), issuer)
  return {
    place: rule.place,
    issuer,
    audiences: filledTexts(rule.field('audiences')),
    jwksUri,
    jwks: parseKeys(rule.field('jwks')),
    fromHeaders: rule.field('fromHeaders').items().map(parseFromHeader),
    fromParams: filledTexts(rule.field('fromParams')),
    fromCookies: filledTexts(rule.field('fromCookies')),
    outputPayloadToHeader: headerName(rule.field('outputPayloadToHeader')),
    outputClaimToHeaders: rule.field('outputClaimToHeaders').items().flatMap(parseOutput),
    forwardOriginalToken: rule.field('forwardOriginalToken').flag() ?? false,
    timeoutMilliseconds: parseTimeout(rule.field('timeout')),
    spaceDelimitedClaims: rule.field('spaceDelimitedClaims').texts(),
  }
}

function filledTexts(list: Reader): readonly string[] {
  for (const item of list.items()) if (item.value === '') item.error('must not be empty')
  return list.texts()
}

function checkUrl(reader: Reader, url: string): void {
  if (URL.canParse(url) && /^https?:/i.test(url)) return
  reader.error(
    `keys must come from an http(s) URL, got \`${url}\``,
    'set `jwksUri`, or `jwks` with the keys themselves',
  )
}

function parseKeys(reader: Reader): unknown {
  const text = reader.text()
  if (text === undefined) return undefined
  try {
    const keySet: unknown = JSON.parse(text)
    if (Array.isArray((keySet as { keys?: unknown } | null)?.keys)) return keySet
  } catch {
    // told below
  }
  reader.error('must be a JSON Web Key Set: {"keys": […]}')
  return { keys: [] }
}

function parseFromHeader(reader: Reader): { name: string; prefix: string } {
  reader.refuseUnknown(['name', 'prefix'])
  const name = headerName(reader.field('name'))
  if (name === undefined) reader.error('needs the `name` of a header')
  return { name: name ?? '', prefix: reader.field('prefix').text() ?? '' }
}

function parseOutput(reader: Reader): { header: string; claim: string }[] {
  reader.refuseUnknown(['header', 'claim'])
  const header = headerName(reader.field('header'))
  const claim = reader.field('claim').text()
  if (header && claim) return [{ header, claim }]
  reader.error('needs `header` and `claim`')
  return []
}

function headerName(reader: Reader): string | undefined {
  const name = reader.text()
  if (name !== undefined && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) reader.error(`\`${name}\` is no header name`)
  return name?.toLowerCase()
}

function parseTimeout(reader: Reader): number {
  const text = reader.text()
  const milliseconds = text === undefined ? defaultTimeoutMilliseconds : parseGoDuration(text)
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds
  reader.error(`\`${text}\` is no duration`, 'write for example `5s`')
  return defaultTimeoutMilliseconds
}
