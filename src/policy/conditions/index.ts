import { addresses } from './addresses.ts'
import { claims, namedClaim } from './claims.ts'
import type { ConditionKind } from './condition.ts'
import { envoyMetadata } from './envoy-metadata.ts'
import { hosts } from './hosts.ts'
import { methods } from './methods.ts'
import { paths } from './paths.ts'
import { peerIdentity, trustDomain } from './peer-identity.ts'
import { ports } from './ports.ts'
import { requestHeaders } from './request-headers.ts'
import { requestPrincipals } from './request-principals.ts'
import { serverName } from './server-name.ts'

const peerAddress = addresses('peer address', (facts) => facts.peerAddress)
const clientAddress = addresses('client address', (facts) => facts.clientAddress)

/** Fields of a rule's `source`; each has a `not…` twin. */
export const sourceFields: Readonly<Record<string, ConditionKind>> = {
  principals: peerIdentity,
  requestPrincipals,
  namespaces: peerIdentity,
  serviceAccounts: peerIdentity,
  trustDomains: trustDomain,
  ipBlocks: peerAddress,
  remoteIpBlocks: clientAddress,
}

/** Fields of a rule's `operation`; each has a `not…` twin. */
export const operationFields: Readonly<Record<string, ConditionKind>> = { hosts, ports, methods, paths }

/** Keys of a `when` condition that are one fixed word. */
export const whenKeys: Readonly<Record<string, ConditionKind>> = {
  'source.ip': peerAddress,
  'remote.ip': clientAddress,
  'source.namespace': peerIdentity,
  'source.serviceAccount': peerIdentity,
  'source.trustDomain': peerIdentity,
  'source.principal': peerIdentity,
  'request.auth.principal': requestPrincipals,
  'request.auth.audiences': namedClaim('aud'),
  'request.auth.presenter': namedClaim('azp'),
  'destination.ip': addresses('destination address', (facts) => facts.localAddress),
  'destination.port': ports,
  'connection.sni': serverName,
}

/** Keys of a `when` condition that go on with a name: `request.headers[x]`. `brackets`: the name keeps its brackets. */
export const whenPrefixes: Readonly<Record<string, { readonly kind: ConditionKind; readonly brackets: boolean }>> = {
  'request.headers': { kind: requestHeaders, brackets: false },
  'request.auth.claims': { kind: claims, brackets: true },
  'experimental.envoy.filters.': { kind: envoyMetadata, brackets: true },
}
