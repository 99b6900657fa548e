import { OAuthError } from '../../oauth/errors.ts'
import { quoteList, words } from '../auth-request.ts'
import type { Broker } from '../broker.ts'
import type { StaticClient } from '../config.ts'
import { ConnectorError, type Outcome } from '../connectors/connector.ts'
import type { GrantedTokens, GrantRequest } from '../grant-request.ts'
import type { PresentedToken, RefreshFamily } from '../refresh-families.ts'

type GoodToken = Extract<PresentedToken, { kind: 'good' }>

const claimed = 'Refresh token is invalid or has already been claimed by another client.'

/**
 * The refresh grant (dex server/refreshhandlers.go) with families: a token that was rotated away betrays a copy and
 * ends its family. The connector is asked each time but within the reuse interval, so that changed groups and disabled
 * users take effect; uses of one family take turns, so that it is asked once.
 */
export async function refreshTokens(request: GrantRequest): Promise<GrantedTokens> {
  const { broker, form } = request
  const token = form.get('refresh_token') ?? ''
  if (token === '') throw new OAuthError('invalid_request', 'No refresh token is found in request.')
  const first = await broker.families.look(token)
  if (first.kind === 'unknown') throw new OAuthError('invalid_request', claimed)
  return broker.refreshTurns.take(first.id, async () => redeem(request, await broker.families.look(token)))
}

async function redeem({ broker, client, form }: GrantRequest, presented: PresentedToken): Promise<GrantedTokens> {
  const good = await checkPresented(presented, { broker, client })
  const scopes = checkNarrower(form.get('scope') ?? '', good.family)
  const family = good.isReuse ? good.family : await renew(broker, good)
  const { identity, connectorId, clientId, nonce, sid } = family
  const tokens = await broker.issueTokens({
    identity,
    connectorId,
    clientId,
    scopes,
    nonce,
    ...(sid === undefined ? {} : { sid }),
  })
  return { ...tokens, refreshToken: broker.families.tokenOf(good.id, family) }
}

async function checkPresented(
  presented: PresentedToken,
  { broker, client }: { broker: Broker; client: StaticClient },
): Promise<GoodToken> {
  if (presented.kind === 'unknown') throw new OAuthError('invalid_request', claimed)
  const { id, family } = presented
  if (family.clientId !== client.id) throw new OAuthError('invalid_grant', claimed)
  if (presented.kind === 'replayed') {
    broker.log.warn('a refresh token was used again; its family is revoked', { clientId: client.id })
    await broker.families.revoke(id)
  }
  if (presented.kind === 'expired') throw new OAuthError('invalid_request', 'Refresh token expired.')
  if (presented.kind !== 'good') throw new OAuthError('invalid_request', claimed)
  if (family.sid !== undefined && (await broker.sessions?.hasEnded(family.sid))) {
    throw new OAuthError('invalid_grant', 'The session has ended.')
  }
  if (client.allowedConnectors?.includes(family.connectorId) === false) {
    throw new OAuthError('invalid_grant', 'This client does not accept the connector any more.')
  }
  return presented
}

/** RFC 6749 §6: a refresh may ask for less than was granted, never for more. */
function checkNarrower(scope: string, { scopes }: RefreshFamily): readonly string[] {
  const asked = words(scope)
  const wider = asked.filter((one) => !scopes.includes(one))
  if (wider.length > 0) {
    throw new OAuthError('invalid_request', `Requested scopes contain unauthorized scope(s): ${quoteList(wider)}.`)
  }
  return asked.length === 0 ? scopes : asked
}

/** Asks the connector whether the user is still welcome and who they are now, then rotates. */
async function renew(broker: Broker, { id, family }: GoodToken): Promise<RefreshFamily> {
  const outcome = await askConnector(broker, family)
  if (outcome.kind !== 'authenticated' || outcome.identity.userId !== family.identity.userId) {
    const detail = outcome.kind === 'refused' ? outcome.detail : 'the identity provider named another user'
    broker.log.info('refresh refused upstream', { clientId: family.clientId, connector: family.connectorId, detail })
    await broker.families.revoke(id)
    throw new OAuthError('invalid_grant', 'The identity provider no longer accepts this sign-in.', { detail })
  }
  const { identity, connectorData, upstreamIdToken } = outcome
  if (family.sid !== undefined) await broker.sessions?.renew(family.sid, upstreamIdToken)
  const renewed = await broker.families.use(id, family, {
    identity,
    ...(connectorData === undefined ? {} : { connectorData: broker.atRest.seal(connectorData) }),
  })
  if (!renewed) throw new OAuthError('invalid_request', claimed, { detail: 'revoked or rotated meanwhile' })
  return renewed
}

async function askConnector(broker: Broker, { connectorId, identity, connectorData }: RefreshFamily): Promise<Outcome> {
  const connector = broker.connectors.find(({ id }) => id === connectorId)
  if (!connector?.refresh) return { kind: 'refused', reason: 'denied', detail: 'the connector is gone' }
  const data = connectorData === undefined ? undefined : broker.atRest.open(connectorData)
  try {
    return await connector.refresh.refresh({ identity, connectorData: data })
  } catch (cause) {
    if (!(cause instanceof ConnectorError)) throw cause
    broker.log.error('connector failed', { connector: connectorId, error: cause })
    // Nothing was rotated: the same token works once the identity provider is back.
    throw new OAuthError('invalid_request', 'The identity provider could not be reached.', { status: 500 })
  }
}
