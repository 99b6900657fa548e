import type { DocumentPath } from '../kit/problems.ts'

/** A setting that is accepted and has no effect here, and why. */
export interface UnusedSetting {
  readonly path: DocumentPath
  readonly reason: string
}

const listens = 'the listener belongs to Gatehouse'
const branding = 'pages have one design'

/** `*` stands for every item of a list. */
const unused: readonly { readonly path: readonly string[]; readonly reason: string }[] = [
  { path: ['storage'], reason: 'state is kept in Gatehouse’s own database' },
  { path: ['web', 'http'], reason: listens },
  { path: ['web', 'https'], reason: listens },
  { path: ['web', 'tlsCert'], reason: listens },
  { path: ['web', 'tlsKey'], reason: listens },
  { path: ['web', 'tlsMinVersion'], reason: listens },
  { path: ['web', 'tlsMaxVersion'], reason: listens },
  { path: ['web', 'headers'], reason: 'pages carry their own security headers' },
  { path: ['web', 'clientRemoteIP'], reason: 'the listener finds out the client’s address' },
  { path: ['telemetry'], reason: 'metrics are not served' },
  { path: ['grpc'], reason: 'the gRPC API is not served' },
  { path: ['logger'], reason: 'logs are JSON lines, their level is Gatehouse’s' },
  { path: ['frontend', 'dir'], reason: branding },
  { path: ['frontend', 'logoURL'], reason: branding },
  { path: ['frontend', 'theme'], reason: branding },
  { path: ['frontend', 'extra'], reason: branding },
  { path: ['expiry', 'deviceRequests'], reason: 'the device flow is not offered' },
  { path: ['sessions', 'validIfNotUsedFor'], reason: 'a session is never used instead of signing in' },
  { path: ['sessions', 'rememberMeCheckedByDefault'], reason: 'a session is never used instead of signing in' },
  { path: ['sessions', 'cookieEncryptionKey'], reason: 'the cookie carries a random handle only' },
  { path: ['sessions', 'ssoSharedWithDefault'], reason: 'a session is never used instead of signing in' },
  { path: ['staticClients', '*', 'logoURL'], reason: branding },
  {
    path: ['connectors', '*', 'config', 'rootCAs'],
    reason: 'certificates are checked against the system store; add a CA by NODE_EXTRA_CA_CERTS',
  },
  {
    path: ['connectors', '*', 'config', 'insecureSkipVerify'],
    reason: 'certificates are always checked; add a CA by NODE_EXTRA_CA_CERTS',
  },
  { path: ['connectors', '*', 'config', 'pkceChallenge'], reason: 'PKCE with S256 is always used' },
  {
    path: ['connectors', '*', 'config', 'providerDiscoveryOverrides', 'deviceAuthURL'],
    reason: 'the device flow is not offered',
  },
]

/** The settings of a Dex document that have no effect here, with their places, so that the caller can say so. */
export function unusedBrokerKeys(document: unknown): UnusedSetting[] {
  return unused.flatMap(({ path, reason }) => placesOf(document, path, []).map((place) => ({ path: place, reason })))
}

function placesOf(value: unknown, pattern: readonly string[], path: DocumentPath): DocumentPath[] {
  const [step, ...rest] = pattern
  if (step === undefined) return isEmpty(value) ? [] : [path]
  if (step === '*') {
    return Array.isArray(value) ? value.flatMap((item, index) => placesOf(item, rest, [...path, index])) : []
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value)
    .filter(([key]) => key.toLowerCase() === step.toLowerCase())
    .flatMap(([key, member]) => placesOf(member, rest, [...path, key]))
}

/** Absent, or at a value that asks for nothing. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === false || value === ''
}
