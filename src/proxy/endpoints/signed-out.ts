import { pageAnswer, redirectAnswer } from '../answers.ts'
import type { CheckAnswer } from '../check.ts'
import type { ProxyCore } from '../core.ts'
import { signedOutPage } from '../pages/notice-pages.ts'

/**
 * The end of a sign-out: a page that says so; `state` brings back from the provider where “sign in again” leads. Where
 * oidc-authservice has a page of its own for this, that one; a bare `/` is none, it would sign in again at once.
 */
export async function signedOut(core: ProxyCore, query: URLSearchParams): Promise<CheckAnswer> {
  const ownPage = core.config.authservice?.afterLogoutUrl ?? ''
  return ownPage !== '' && ownPage !== '/' ? redirectAnswer(ownPage) : signedOutHere(core, query)
}

/** Our own page of that kind. */
export async function signedOutHere(core: ProxyCore, query: URLSearchParams): Promise<CheckAnswer> {
  const { config, assetsPath, isValidRedirect, provider } = core
  const target = query.get('state') ?? query.get('rd') ?? '/'
  return pageAnswer(
    signedOutPage({
      startPath: `${config.proxy_prefix}/start`,
      target: isValidRedirect(target) ? target : '/',
      assetsPath,
      endedAtProvider: (await provider.endSessionUrl()) !== undefined,
    }),
  )
}
