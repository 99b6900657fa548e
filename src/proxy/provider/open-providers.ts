import { fail, GatehouseError } from '../../kit/errors.ts'
import type { LogoutTokenOutcome } from '../../oidc/logout-token.ts'
import type { Collection } from '../../store/records.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import type { Session } from '../session.ts'
import { type OpenProviderOptions, openProvider } from './open-provider.ts'
import type { Provider } from './provider.ts'
import { titleOf } from './settle-options.ts'

/** One of the providers a visitor can choose from. */
export interface ProviderChoice {
  readonly id: string
  /** As the sign-in page calls it. */
  readonly name: string
}

/** Every configured provider behind one face: what belongs to a login or a session goes to the provider it names. */
export interface Providers extends Provider {
  /** In the order of the configuration, never empty. */
  readonly choices: readonly ProviderChoice[]
  /** The provider of that id, or of none given the only one; `undefined` where there is a choice to make. */
  choose(id: string | null): ProviderChoice | undefined
}

/** Opens the providers of a configuration. Of several, logins and sessions remember theirs by its id. */
export function openProviders(
  list: readonly ProviderOptions[],
  shared: Omit<OpenProviderOptions, 'options'> & {
    fetchFor: (options: ProviderOptions) => OpenProviderOptions['fetch']
  },
): Providers {
  const { fetchFor, ...common } = shared
  const choices = list.map((options) => ({ id: options.id, name: titleOf(options) }))
  const byId = new Map(
    list.map((options) => [options.id, openProvider({ ...common, options, fetch: fetchFor(options) })]),
  )
  const [first] = byId.values()
  if (!first) throw new TypeError('no provider is configured') // the checks of the configuration refuse that
  const isSeveral = byId.size > 1
  // Sessions from before there were several say nothing; those of one that is gone belong to nobody else.
  const find = (id: string | undefined): Provider | undefined => (id === undefined ? first : byId.get(id))
  const providerOf = (id: string | undefined): Provider =>
    find(id) ?? fail('grant_refused', `the provider \`${id}\` is no longer configured`)
  const marked = (session: Session, id: string | undefined): Session =>
    isSeveral && id !== undefined ? { ...session, provider: id } : session

  async function sessionOfBearer(token: string) {
    const refusals: string[] = []
    for (const [id, provider] of byId) {
      const outcome = await provider.sessionOfBearer(token).catch(away)
      if ('session' in outcome) return { session: marked(outcome.session, id) }
      refusals.push(outcome.refused)
    }
    // One that cannot be asked may be the one that issued it.
    const telling = ['no-keys', ...refusals.filter((reason) => reason !== 'issuer-mismatch')]
    return { refused: telling.find((reason) => refusals.includes(reason)) ?? 'issuer-mismatch' }
  }

  async function verifyLogout(token: string, used: Collection<true>): Promise<LogoutTokenOutcome> {
    const outcomes: LogoutTokenOutcome[] = []
    for (const provider of byId.values()) {
      const outcome = await provider.verifyLogout(token, used)
      if (outcome.kind === 'believed') return outcome
      outcomes.push(outcome)
    }
    const isTelling = (one: LogoutTokenOutcome) => one.kind !== 'refused' || one.reason !== 'issuer-mismatch'
    return outcomes.find(isTelling) ?? outcomes[0] ?? { kind: 'refused', reason: 'issuer-mismatch' }
  }

  return {
    choices,
    choose: (id) => (id === null ? (isSeveral ? undefined : choices[0]) : choices.find((choice) => choice.id === id)),
    authorizationUrl: (login, request) => providerOf(login.provider).authorizationUrl(login, request),
    async redeem(code, login, redirectUri) {
      return marked(await providerOf(login.provider).redeem(code, login, redirectUri), login.provider)
    },
    async refresh(session) {
      return marked(await providerOf(session.provider).refresh(session), session.provider)
    },
    sessionOfBearer,
    verifyLogout,
    isOwnAnswer: async (login, issuer) => (await find(login.provider)?.isOwnAnswer(login, issuer)) ?? false,
    endSessionUrl: async (session) => find(session?.provider)?.endSessionUrl(),
    userinfoUrl: () => first.userinfoUrl(),
    backendLogoutUrl: (session) => find(session?.provider)?.backendLogoutUrl() ?? '',
    clientId: (session) => find(session?.provider)?.clientId() ?? '',
    isReady: () => [...byId.values()].map((provider) => provider.isReady()).some(Boolean),
  }
}

/** A provider that is down vouches for nobody, and keeps no other from doing so. */
function away(error: unknown): { refused: string } {
  if (error instanceof GatehouseError && error.code === 'provider_unavailable') return { refused: 'no-keys' }
  throw error
}
