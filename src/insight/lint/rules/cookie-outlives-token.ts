import { parseGoDuration } from '../../../kit/duration.ts'
import { placeOf, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

const files = (expire: string) => ({
  'dex.yaml': `issuer: https://platform.example.com/dex
storage: {type: memory}
web: {http: 0.0.0.0:5556}
enablePasswordDB: true
staticClients:
- {id: kubeflow, name: Kubeflow, secret: secret-of-the-client, redirectURIs: [/oauth2/callback]}
expiry: {idTokens: 1h}
`,
  'oauth2_proxy.cfg': `provider = "oidc"
oidc_issuer_url = "https://platform.example.com/dex"
client_id = "kubeflow"
client_secret = "secret-of-the-client"
redirect_url = "/oauth2/callback"
relative_redirect_url = true
scope = "openid email groups offline_access"
email_domains = "*"
set_authorization_header = true
cookie_expire = "${expire}"
cookie_refresh = "0"
`,
})

/** A session that is longer than the token in it. */
export const cookieOutlivesToken: Rule = {
  id: 'cookie-outlives-token',
  severity: 'warning',
  title: 'the proxy’s cookie lives longer than the token in it',
  why: 'oauth2-proxy goes on handing out the expired token, and the gateway answers 401 `Jwt is expired` to a user who is signed in. Nothing redirects; only deleting the cookie helps.',
  remedy:
    'Set `cookie_refresh` below the life of the token (with the scope `offline_access`), or `cookie_expire` to it.',
  bad: files('24h'),
  good: files('1h'),
  find: (subject) => {
    const token = tokenLife(subject)
    const passes = String(subject.proxySetting('set_authorization_header')?.value ?? 'false') === 'true'
    if (!passes || token === undefined) return []
    const expire = subject.proxySetting('cookie_expire')
    const refresh = durationOf(subject.proxySetting('cookie_refresh')?.value) ?? 0
    const life = expire ? (durationOf(expire.value) ?? 0) : 168 * 3_600_000
    if ((life > 0 && life <= token) || (refresh > 0 && refresh < token)) return []
    const written = expire ?? subject.proxySetting('oidc_issuer_url') ?? subject.proxySetting('cookie_name')
    if (!written) return []
    const fix = 'set `cookie_refresh` below that, or `cookie_expire` to it'
    const length = expire ? `\`${String(expire.value)}\`` : '168h, as nothing is set,'
    return [{ place: placeOf(written), message: `the cookie lives ${length} but the token ${hours(token)}`, fix }]
  },
  edits: ({ place }, subject) => {
    const expire = subject.proxySetting('cookie_expire')
    const token = tokenLife(subject)
    if (token === undefined || typeof expire?.value !== 'string' || durationOf(expire.value) === 0) return []
    return [{ kind: 'replace', place, from: expire.value, to: hours(token) }]
  },
}

/** Life of the ID tokens the proxy gets, in milliseconds, where the files tell it. */
function tokenLife({ dex, realms, proxySetting }: Subject): number | undefined {
  const issuer = String(proxySetting('oidc_issuer_url')?.value ?? '')
  if (!issuer.includes('/realms/')) {
    return dex && durationOf(valueAtPath(dex.value, ['expiry', 'idTokens']) ?? '24h')
  }
  const realm = realms.find(({ value }) => issuer.endsWith(`/realms/${String(valueAtPath(value, ['realm']))}`))
  if (!realm) return undefined
  const seconds = valueAtPath(realm.value, ['accessTokenLifespan']) ?? 300 // Keycloak's default
  return typeof seconds === 'number' ? seconds * 1000 : undefined
}

/** oauth2-proxy takes Go durations, and numbers as nanoseconds. */
function durationOf(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) / 1e6
  return typeof value === 'string' ? parseGoDuration(value) : undefined
}

const hours = (milliseconds: number): string =>
  milliseconds >= 3_600_000 ? `${milliseconds / 3_600_000}h` : `${milliseconds / 60_000}m`
