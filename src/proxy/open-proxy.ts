import { readFileSync } from 'node:fs'
import { fetchWithTrust } from '../http/fetch-with-trust.ts'
import { bodyFault, readForm } from '../http/forms.ts'
import type { Fetch, Part, RequestContext } from '../http/part.ts'
import type { Clock } from '../kit/clock.ts'
import { fail } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import type { Random } from '../kit/random.ts'
import type { AccountGate } from '../oidc/account-gate.ts'
import { type EndedSessions, openEndedSessions } from '../oidc/ended-sessions.ts'
import { openRecordLeases } from '../store/leases.ts'
import type { Records } from '../store/records.ts'
import { openAccessTokens } from './access-tokens/access-tokens.ts'
import { openDeviceLogins } from './access-tokens/device-logins.ts'
import { alphaOf } from './alpha/alpha-of-config.ts'
import type { AlphaOptions } from './alpha/alpha-options.ts'
import { responseOfAnswer, textAnswer } from './answers.ts'
import { memoryBeside } from './authservice/memory-beside.ts'
import { openAuthservice } from './authservice/open-authservice.ts'
import { openBearerVerifier } from './bearer.ts'
import type { CheckAnswer, CheckRequest } from './check.ts'
import { openChecker } from './checker.ts'
import { checkRequestOf, type ProxyCore } from './core.ts'
import { endpointAt } from './endpoints/endpoints.ts'
import { compileForwarding } from './forwarding.ts'
import { compileAuthserviceHeaders, compileIdentityHeaders, toldNames } from './identity-headers.ts'
import { compileIdentityNames } from './identity-names.ts'
import { openAccountGate } from './kubernetes/account-gate.ts'
import { openTokenKeys, openTokenReview } from './kubernetes/account-tokens.ts'
import { openClusterApi } from './kubernetes/cluster-api.ts'
import { isCsrfCookie } from './login/csrf-cookie.ts'
import { parseEmails } from './login/emails-file.ts'
import { openPasswords } from './login/passwords.ts'
import { openWatchedFile } from './login/watched-file.ts'
import { signInLook } from './pages/sign-in-look.ts'
import { compileProbe, type Probe, robotsAnswer } from './probes.ts'
import { openProviders } from './provider/open-providers.ts'
import { trustOf } from './provider/provider-trust.ts'
import { compileRedirectRule } from './redirect-target.ts'
import { compileRules } from './rules.ts'
import { cookieKey } from './sessions/cookie-secret.ts'
import { openRefresher } from './sessions/refresh-once.ts'
import { isSessionCookie } from './sessions/session-cookies.ts'
import { openSessionMemory } from './sessions/session-memory.ts'
import { openSessionState } from './sessions/session-state.ts'
import { openSessions } from './sessions/sessions.ts'
import { compileTrustedProxies } from './trusted-proxies.ts'
import type { ProxyConfig } from './typed-config.ts'

/** What the proxy is made from. */
export interface ProxyOptions {
  readonly config: ProxyConfig
  readonly records: Records
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How the provider is reached. */
  readonly fetch: Fetch
  /** How the Kubernetes API server is reached: it has a CA of its own. `fetch` unless told. */
  readonly clusterFetch?: Fetch
}

/** The running proxy: its own endpoints by `fetch`, the decision about any request by `check`. */
export interface ProxyPart extends Part {
  /** Judges a request at its original path, or answers it where that is one of the proxy's own. Never throws. */
  check(request: CheckRequest): CheckAnswer | Promise<CheckAnswer>
  /** The same, with the probes, as the proxy's own listener answers; `form`: fields posted to one of its own paths. */
  answer(request: CheckRequest, form?: URLSearchParams): CheckAnswer | Promise<CheckAnswer>
  /** The answer to a health or readiness probe, if the request is one. */
  readonly probe: Probe
  /** Whether the path is one of the proxy's own endpoints. */
  isOwnPath(path: string): boolean
  /** Whether users can sign in: the provider is known. */
  ready(): boolean
  /** Sessions that ended before their tokens did. */
  readonly ended: EndedSessions
  /** Judges service accounts of the cluster; absent where none are let in. */
  readonly accounts: AccountGate | undefined
  /** Whether a cookie is the proxy's own, which no app should see. */
  isOwnCookie(name: string): boolean
  /** Whether a request header would be taken for one that tells who the user is, in any spelling. */
  isIdentityHeader(name: string): boolean
}

/** Opens the proxy. @throws GatehouseError `config` for a cookie secret that is no key. */
export function openProxy(options: ProxyOptions): ProxyPart {
  const { config } = options
  const { authservice } = config
  const core = openCore(options)
  const stopWatching = core.ended.watch()
  const { check, recall, answerAt } = openChecker(core)
  const isOwnPath = (path: string) => endpointAt(path, core) !== undefined
  const probe = compileProbe(core)
  const robots = robotsAnswer(config)

  function answer(request: CheckRequest, form?: URLSearchParams): CheckAnswer | Promise<CheckAnswer> {
    const answered = probe(request) ?? (isRobots(request.path) ? robots : undefined)
    if (answered) return answered
    const endpoint = form && endpointAt(request.path, core)
    return endpoint ? answerAt(endpoint, request, form) : check(request)
  }

  async function fetch(request: Request, context?: RequestContext): Promise<Response> {
    const facts = checkRequestOf(request, context)
    const hasForm = request.method === 'POST' && isOwnPath(facts.path)
    const form = hasForm ? await readForm(request).catch(unreadable) : undefined
    return responseOfAnswer(form instanceof URLSearchParams || !form ? await answer(facts, form) : form)
  }

  return {
    fetch,
    recall({ target, header }) {
      const isProbe = target === config.ping_path || target === config.ready_path || isRobots(target)
      if (isProbe) return undefined
      return recall({ path: target, headers: { cookie: header('cookie'), authorization: header('authorization') } })
    },
    check,
    answer,
    probe,
    isOwnPath,
    ready: () => core.provider.isReady() && core.state.isUp(),
    async close() {
      stopWatching()
      await core.state.close()
    },
    ended: core.ended,
    accounts: core.accounts,
    isOwnCookie: (name) => isSessionCookie(name, config.cookie_name) || isCsrfCookie(name, config.cookie_name),
    isIdentityHeader: compileIdentityNames(authservice ? toldNames(authservice) : []),
  }
}

function isRobots(path: string): boolean {
  return path.startsWith('/robots.txt') && (path.length === 11 || path[11] === '?')
}

function unreadable(error: unknown): CheckAnswer {
  const status = bodyFault(error)
  if (status === undefined) throw error
  return textAnswer(status, status === 413 ? 'Content Too Large' : 'Bad Request')
}

function openCore(options: ProxyOptions): ProxyCore {
  const { config, clock, random, log, fetch } = options
  const { authservice: settings } = config
  const alpha = alphaOf(config)
  const secret = config.cookie_secret || readFileSync(config.cookie_secret_file, 'utf8')
  // what the configuration itself says was checked where it was read
  const key =
    cookieKey(secret) ??
    fail(
      'config',
      `cookie_secret_file: \`${config.cookie_secret_file}\` must hold 16, 24 or 32 bytes, got ${Buffer.byteLength(secret)}; write 32 random bytes as base64url`,
    )
  const keys = { secret, key }
  const state = openSessionState({ config, keys, records: options.records, clock, random, log })
  const { store, records } = state
  const isForwarding = alpha.upstreamConfig.upstreams.some((one) => !one.static)
  const provider = openProviders(alpha.providers, {
    authorizationUrl: settings?.authorizationUrl,
    endSessionUrl: config.end_session_url,
    isStrict: config.compat,
    fetchFor: (one) => fetchWithTrust(fetch, trustOf(one, config)),
    ...{ fetch, clock, random, log },
  })
  const ended = openEndedSessions({ records, clock, log })
  const csrfLifetime = Math.floor(config.cookie_csrf_expire / 1000)
  const ownMemory = openSessionMemory({ config, ended, clock })
  const memory = settings ? memoryBeside(ownMemory, settings) : ownMemory
  store.listen((text) => (text === undefined ? memory.clear() : memory.forget(text)))
  const isListedEmail = openEmailList(options, () => memory.clear())
  const passwords = config.htpasswd_file === '' ? undefined : openPasswords({ config, clock, random, log })
  const rules = compileRules(config, settings?.skipPrefixes, { providers: alpha.providers, isListedEmail })
  const accountTokens = openAccountTokens(options)
  const sessions = openSessions({ config, store, ended, provider, clock, log })
  const authservice = settings
    ? openAuthservice({
        ...{ settings, config, rules, provider, sessions, ended, accountTokens, clock, log },
        fetch: trustingFetch(options, alpha),
      })
    : undefined
  return {
    passwords,
    ...{ config, alpha, clock, random, log, fetch, records, provider, ended, state },
    rules,
    authservice,
    identityHeaders: settings
      ? compileAuthserviceHeaders(settings)
      : compileIdentityHeaders(alpha.injectResponseHeaders),
    isForwarding,
    forwarded: isForwarding ? compileForwarding(alpha) : (answer) => answer,
    csrf: {
      cookieName: config.cookie_name,
      lifetimeSeconds: csrfLifetime,
      isShared: config.compat && !config.cookie_csrf_per_request,
      ...{ keys, clock, random },
    },
    sessions: authservice?.sessions ?? sessions,
    accounts: accountTokens && openAccountGate(accountTokens, { config, rules, clock }),
    bearer: openBearerVerifier({ config, provider, fetch, clock, log, accountTokens }),
    accessTokens: openAccessTokens({
      ...{ records, ended, clock, random },
      firstProvider: alpha.providers[0]?.id ?? '',
      leases: openRecordLeases(records, { name: 'proxy-access-token-leases', clock, random }),
      openRefresher: (tokenStore) =>
        openRefresher({ config: refreshedOften(config), store: tokenStore, provider, clock, log }),
    }),
    deviceLogins: openDeviceLogins({ records, secret, clock, random }),
    isValidRedirect: compileRedirectRule(config.whitelist_domains, { isLiteral: config.compat }),
    look: signInLook(config, provider.choices),
    callbackPath: settings?.callbackPath ?? (pathOf(config.redirect_url) || `${config.proxy_prefix}/callback`),
    assetsPath: `${config.proxy_prefix}/static`,
    isTrustedProxy: compileTrustedProxies(config),
    memory,
  }
}

/** Tokens of the cluster's service accounts, where the configuration names an audience they must be meant for. */
function openAccountTokens({ config, fetch, clusterFetch = fetch, clock, log }: ProxyOptions) {
  const audiences = config.kubernetes_token_audiences
  if (audiences.length === 0) return undefined
  const url = config.kubernetes_api_url.replace(/\/$/, '')
  const api = openClusterApi({ url, tokenFile: config.kubernetes_token_file, fetch: clusterFetch })
  return config.kubernetes_token_review
    ? openTokenReview(api, { audiences, clock, log })
    : openTokenKeys(api, { audiences, clock, log })
}

/** Reaches the first provider, and what stands beside it, by the authorities it is trusted by. */
function trustingFetch({ config, fetch }: ProxyOptions, { providers }: AlphaOptions): Fetch {
  const [first] = providers
  return first ? fetchWithTrust(fetch, trustOf(first, config)) : fetch
}

/** A program's sign-in is proven again every five minutes at least: a user who was disabled has no browser to be asked. */
function refreshedOften(config: ProxyConfig): ProxyConfig {
  return config.cookie_refresh > 0 ? config : { ...config, cookie_refresh: 300_000 }
}

/** Whether an address is in `authenticated_emails_file`, whose changes count within a minute. */
function openEmailList({ config, clock, log }: ProxyOptions, onChange: () => void) {
  if (config.authenticated_emails_file === '') return () => false
  const file = openWatchedFile(config.authenticated_emails_file, { parse: parseEmails, onChange, clock, log })
  return (email: string) => file.current().has(email.toLowerCase())
}

/** The path of a URL that may be a path already; empty for none or the root. */
function pathOf(url: string): string {
  const path = url.startsWith('/') ? url : URL.canParse(url) ? new URL(url).pathname : ''
  return path === '/' ? '' : path
}
