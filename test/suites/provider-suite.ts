import { expect, test } from 'vitest'
import { silentLog } from '../../src/kit/log.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { providerOptionsSchema } from '../../src/proxy/alpha/provider-options.ts'
import { hashOf, newPendingLogin } from '../../src/proxy/login/csrf-cookie.ts'
import { providerKinds } from '../../src/proxy/provider/index.ts'
import { openProvider } from '../../src/proxy/provider/open-provider.ts'
import type { Session } from '../../src/proxy/session.ts'
import { type CloudSettings, openTestCloud } from '../world/cloud.ts'

/** What a kind of provider is tried with. */
export interface ProviderCase extends Omit<CloudSettings, 'clock'> {
  readonly kind: string
  /** Settings beside id, secret and kind, in the alpha spelling. */
  readonly options?: Record<string, unknown>
  readonly loginUrl: string
  readonly scope: string
  /** Who signs in. */
  readonly session: Partial<Session>
  /** Where an access token is shown to see whether it still counts; `METHOD url`. */
  readonly validates?: string
}

const redirectUri = 'https://app.example/oauth2/callback'

/** A provider with its cloud, at a clock that stands still until told otherwise. */
export function providerWorld({
  kind,
  options,
  ...cloudSettings
}: Omit<ProviderCase, 'loginUrl' | 'scope' | 'session'>) {
  const clock = { time: 1_700_000_000_000, now: () => clock.time }
  const cloud = openTestCloud({ ...cloudSettings, clock })
  const provider = openProvider({
    options: providerOptionsSchema.parse({
      ...{ id: 'one', provider: kind, clientID: 'our-id', clientSecret: 'our-secret' },
      ...options,
    }),
    isStrict: false,
    fetch: cloud.fetch,
    clock,
    random: systemRandom,
    log: silentLog,
  })
  const login = newPendingLogin(systemRandom)
  cloud.nonce = hashOf(login.nonce)
  const signIn = (code = 'good-code') => provider.redeem(code, login, redirectUri)
  return { clock, cloud, provider, login, signIn }
}

/** What every kind of provider must do. */
export function providerSuite(given: ProviderCase): void {
  const { kind, loginUrl, scope, session, validates } = given
  const world = (more: Partial<ProviderCase> = {}) => providerWorld({ ...given, ...more })

  test(`${kind}: the browser is sent to the login page with our id, our callback and the scope`, async () => {
    const { provider, login } = world()
    const url = new URL(await provider.authorizationUrl(login, { state: 'the-state', redirectUri }))
    expect(url.origin + url.pathname).toBe(loginUrl)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ client_id: 'our-id', redirect_uri: redirectUri, response_type: 'code', state: 'the-state' },
    })
    expect(url.searchParams.get('scope') ?? '').toBe(scope)
  })

  test(`${kind}: a code is redeemed once, for who has signed in`, async () => {
    const { signIn, cloud, clock, login } = world()
    expect(await signIn()).toMatchObject({
      ...{ createdAt: clock.time, expiresAt: clock.time + 3_600_000, accessToken: 'access-1' },
      ...session,
    })
    expect(cloud.grants).toHaveLength(1)
    expect(Object.fromEntries(cloud.grants[0] ?? [])).toMatchObject({
      ...{ grant_type: 'authorization_code', code: 'good-code', redirect_uri: redirectUri },
      ...(providerKinds[kind]?.protocol === 'oidc' ? { code_verifier: login.codeVerifier } : {}),
    })
  })

  test(`${kind}: a code that is not good is refused, and a cloud that is down is no refusal`, async () => {
    const { signIn, cloud } = world()
    await expect(signIn('bad-code')).rejects.toMatchObject({ code: 'grant_refused' })
    cloud.isDown = true
    await expect(signIn()).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  test(`${kind}: a refresh token gives fresh tokens for the same user`, async () => {
    const { signIn, provider, clock } = world({ tokens: { refresh_token: 'good-refresh' } })
    const first = await signIn()
    clock.time += 1_800_000
    const fresh = await provider.refresh(first)
    expect(fresh).toMatchObject({ ...session, accessToken: 'access-2', refreshToken: 'good-refresh' })
    expect(fresh.createdAt).toBe(clock.time)
    await expect(provider.refresh({ ...first, refreshToken: 'dead' })).rejects.toMatchObject({ code: 'grant_refused' })
  })

  if (validates !== undefined) {
    test(`${kind}: an access token the provider no longer takes ends the session, an outage does not`, async () => {
      const { signIn, provider, cloud } = world({ tokens: { refresh_token: 'good-refresh' } })
      const first = await signIn()
      const { [validates]: usual } = cloud.routes
      cloud.routes[validates] = () => new Response('', { status: 401 })
      await expect(provider.refresh(first)).rejects.toMatchObject({ code: 'grant_refused' })
      cloud.routes[validates] = () => new Response('', { status: 503 })
      await expect(provider.refresh(first)).rejects.toMatchObject({ code: 'provider_unavailable' })
      if (usual) cloud.routes[validates] = usual
      expect(await provider.refresh(first)).toMatchObject(session)
    })
  }
}
