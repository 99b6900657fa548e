import type { Fetch } from '../http/part.ts'
import { GenerationCache } from '../kit/cache.ts'
import type { Clock } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import type { AccountGate } from '../oidc/account-gate.ts'
import type { EndedSessions } from '../oidc/ended-sessions.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import { type AccountOutcome, openAccountVerifier } from './account-tokens.ts'
import type { GatewayMode } from './gateway-mode.ts'
import { type KeySource, openKeySource } from './key-sources.ts'
import { type FoundToken, findTokens, locationsOf, type TokenLocation, type TokenSource } from './token-locations.ts'
import { type Refusal, type RefusalReason, refusalOf } from './token-refusals.ts'
import { type PlacedRule, verifyInPlace } from './verify-in-place.ts'
import { bareAudience, type TokenRule, type VerifiedToken, verifyToken } from './verify-token.ts'

/** What came of looking for tokens. */
export type Authentication =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'verified'
      readonly token: VerifiedToken
      /** Every place the rule found a token in. */
      readonly found: readonly FoundToken[]
      /** Where the request tells already what there is to tell of the token: the query that is left. */
      readonly told?: { readonly query: string }
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Verifies the tokens of requests as the merged RequestAuthentications of a workload ask. */
export interface Authenticator {
  /** Answers at once where there is no token or a token verified before, else when its keys are there. */
  authenticate(source: TokenSource): Authentication | Promise<Authentication>
  /** Whether some rule takes a token from this request's header of that name. */
  readsTokenFrom(header: string, source: TokenSource): boolean
  /** Header names each rule sets, by rule index. */
  readonly outputs: readonly (readonly string[])[]
  /** Where the keys of the rules come from. */
  readonly keySources: readonly KeySource[]
}

/** Rules that look in the same places. */
interface LocationGroup {
  readonly locations: readonly TokenLocation[]
  readonly rules: readonly number[]
  /** Outcomes for requests whose only token is this one, found by this group alone; by token text. */
  readonly verified: GenerationCache<VerifiedToken>
}

/** The tokens of one request, by the group that found them; groups that found none are not in it. */
type Findings = ReadonlyMap<LocationGroup, readonly FoundToken[]>

interface Dependencies {
  readonly mode: GatewayMode
  readonly clock: Clock
  readonly log: Log
  readonly fetch: Fetch
  /** Sessions whose tokens are believed no more; without it tokens are good until they expire. */
  readonly ended?: EndedSessions | undefined
  /** Service accounts, asked before the rules are; natively. */
  readonly accounts?: AccountGate | undefined
  /** Keys fetched before a reload, by where they come from. */
  readonly keySources?: Map<string, KeySource>
}

type Verified = Extract<Authentication, { kind: 'verified' }>

const none: Authentication = { kind: 'none' }
const sessionEnded: Authentication = { kind: 'refused', refusal: refusalOf({ reason: 'session-ended' }, 'native') }
const cachedTokens = 5_000
/** Longer tokens are verified each time, so that memory stays bounded. */
const longestCachedToken = 16_384

/** Compiles merged rules; nothing is fetched before the first token comes, or somebody refreshes the key sources. */
export function openAuthenticator(jwtRules: readonly JwtRule[], dependencies: Dependencies): Authenticator {
  const { mode, clock, ended, accounts } = dependencies
  const verifyAccount = accounts && openAccountVerifier(accounts, { rules: jwtRules, ended, clock })
  const groups = groupByLocations(jwtRules)
  const rules = jwtRules.map(
    (rule, index): PlacedRule => ({
      index,
      rule,
      audiences: rule.audiences.map(bareAudience),
      keys: knownKeySource(rule, dependencies),
      locations: locationsOf(rule),
      outputs: outputsOf(rule),
    }),
  )
  const outputs = rules.map((rule) => rule.outputs)
  const isTokenPlace = ({ kind, name }: TokenLocation) => outputs.flat().includes(kind === 'cookie' ? kind : name)
  const strips = mode === 'istio' && groups.some(({ locations }) => locations.some(isTokenPlace))
  return {
    outputs,
    keySources: rules.map(({ keys }) => keys),
    readsTokenFrom: (header, source) =>
      groups.some(({ locations }) => {
        const here = locations.filter((one) => one.kind === 'header' && one.name === header)
        // natively what has not the form of a JWT is no token any rule would verify
        return findTokens(here, source, mode).some(({ text }) => mode === 'istio' || text.split('.').length === 3)
      }),
    authenticate(source) {
      let findings: Map<LocationGroup, readonly FoundToken[]> | undefined
      for (const group of groups) {
        const tokens = findTokens(group.locations, source, mode)
        if (tokens.length > 0) findings = (findings ?? new Map()).set(group, tokens)
      }
      if (!findings) return none
      const known = strips ? undefined : verifiedBefore(findings, clock.now())
      if (!known && mode === 'istio') return verifyAsEnvoy(findings, source, { ...dependencies, rules })
      if (!known) return verifyFindings(findings, { ...dependencies, rules, verifyAccount })
      return ended?.isEnded(known.token.names) ? sessionEnded : known
    },
  }
}

/** The keys of a rule; a reload keeps those it has, as when their issuer is down at that moment. */
function knownKeySource(rule: JwtRule, dependencies: Dependencies): KeySource {
  const { keySources } = dependencies
  const name = JSON.stringify([rule.issuer, rule.jwksUri, rule.jwks, rule.timeoutMilliseconds])
  const source = keySources?.get(name) ?? openKeySource(rule, dependencies)
  keySources?.set(name, source)
  return source
}

function groupByLocations(jwtRules: readonly JwtRule[]): readonly LocationGroup[] {
  const byPlaces = Map.groupBy(jwtRules.entries(), ([, rule]) => JSON.stringify(locationsOf(rule)))
  return [...byPlaces.values()].map((members) => ({
    locations: members[0] ? locationsOf(members[0][1]) : [],
    rules: members.map(([index]) => index),
    verified: new GenerationCache<VerifiedToken>(cachedTokens),
  }))
}

/** The group and text of a request's only token; only such outcomes are kept, since they depend on nothing else. */
function onlyToken(findings: Findings): { readonly group: LocationGroup; readonly text: string } | undefined {
  if (findings.size !== 1) return undefined
  for (const [group, tokens] of findings) {
    const [token] = tokens
    return tokens.length === 1 && token ? { group, text: token.text } : undefined
  }
  return undefined
}

function verifiedBefore(findings: Findings, now: number): Verified | undefined {
  const only = onlyToken(findings)
  const token = only?.group.verified.get(only.text)
  if (!only || !token || now < token.notBefore || token.notAfter < now) return undefined
  return { kind: 'verified', token, found: findings.get(only.group) ?? [] }
}

interface Verifiers extends Dependencies {
  readonly rules: readonly TokenRule[]
  readonly verifyAccount: ((text: string) => Promise<AccountOutcome>) | undefined
}

/** A service account's token is that; of others the rules tell. */
async function verifyFindings(findings: Findings, verifiers: Verifiers): Promise<Authentication> {
  const { verifyAccount, mode } = verifiers
  const found = [...findings.values()].flat()
  const [token] = found
  const isOne = token !== undefined && found.every(({ text }) => text === token.text)
  const account = isOne && verifyAccount ? await verifyAccount(token.text) : undefined
  if (account?.kind === 'verified') return { ...account, found }
  if (account?.kind === 'refused') return { kind: 'refused', refusal: refusalOf(account.why, mode) }
  const outcome = await tryRules(findings, verifiers)
  if ('kind' in outcome) return outcome
  const why = account?.why && outcome.reason === 'issuer-mismatch' ? account.why : outcome
  return { kind: 'refused', refusal: refusalOf(why, mode) }
}

/** In `istio` mode every token goes Envoy's way; an only one is then known like any other. */
async function verifyAsEnvoy(
  findings: Findings,
  source: TokenSource,
  { rules, ...dependencies }: Dependencies & { readonly rules: readonly PlacedRule[] },
): Promise<Authentication> {
  const outcome = await verifyInPlace(rules, source, dependencies)
  if (!('query' in outcome)) return { kind: 'refused', refusal: refusalOf(outcome, dependencies.mode) }
  if (!outcome.verified) return none
  remember(findings, outcome.verified.token)
  return { kind: 'verified', ...outcome.verified, told: { query: outcome.query } }
}

function remember(findings: Findings, token: VerifiedToken): void {
  const only = onlyToken(findings)
  if (only && only.text.length <= longestCachedToken) only.group.verified.set(only.text, token)
}

/** Rules are tried in order and the first that verifies wins; “another issuer” is the least telling of refusals. */
async function tryRules(findings: Findings, verifiers: Verifiers): Promise<Authentication | RefusalReason> {
  let worst: RefusalReason | undefined
  for (const rule of verifiers.rules) {
    for (const [group, found] of findings) {
      if (!group.rules.includes(rule.index)) continue
      const outcome = await verifyAll(rule, found, verifiers)
      if ('claims' in outcome) {
        remember(findings, outcome)
        return { kind: 'verified', token: outcome, found }
      }
      if (!worst || worst.reason === 'issuer-mismatch') worst = outcome
    }
  }
  return worst ?? none
}

/** Every token a rule finds must be good. */
async function verifyAll(
  rule: TokenRule,
  tokens: readonly FoundToken[],
  dependencies: Dependencies,
): Promise<VerifiedToken | RefusalReason> {
  let first: VerifiedToken | undefined
  for (const { text } of tokens.toReversed()) {
    const outcome = await verifyToken(rule, text, dependencies)
    if (!('claims' in outcome)) return outcome
    first = outcome
  }
  if (!first) throw new TypeError('there was a token to verify')
  return first
}

/** The headers a rule sets; a client's own are never forwarded under these names. */
function outputsOf({ outputPayloadToHeader, outputClaimToHeaders }: JwtRule): readonly string[] {
  const claimNames = outputClaimToHeaders.map(({ header }) => header)
  return outputPayloadToHeader === undefined ? claimNames : [outputPayloadToHeader, ...claimNames]
}
