import { describe, expect, test } from 'vitest'
import { silentLog as log, openLog } from '../../src/kit/log.ts'
import { proxyConfigSchema } from '../../src/proxy/config.ts'
import { openTokenKeys, openTokenReview } from '../../src/proxy/kubernetes/account-tokens.ts'
import { openClusterApi } from '../../src/proxy/kubernetes/cluster-api.ts'
import { account, accountToken, apiServer } from '../world/api-server.ts'
import { testClock } from '../world/clock.ts'
import { issuer, kubeflow, proxyWorldOf, sign } from './proxy-world.ts'

const now = 1_700_000_000_000
const clock = { now: () => now }
const audience = 'istio-ingressgateway.istio-system.svc.cluster.local'

const tokenOf = (claims: Record<string, unknown> = {}, signed: Parameters<typeof accountToken>[1] = {}) =>
  accountToken({ aud: [audience], exp: now / 1000 + 3600, ...claims }, signed)
const forgedToken = (claims: Record<string, unknown> = {}) => tokenOf(claims, { isForged: true })

/** What asks such an API server. */
function cluster(options: Parameters<typeof apiServer>[0] = {}) {
  const { world, tokenFile, fetch } = apiServer(options)
  return { world, api: openClusterApi({ url: 'https://kubernetes.default.svc', tokenFile, fetch }) }
}

describe('a token that the API server reviews', () => {
  test('is its account, by the name apps know it by', async () => {
    const { api } = cluster()
    const token = await tokenOf()
    expect(await openTokenReview(api, { audiences: [audience], clock, log }).verify(token)).toEqual({
      session: {
        createdAt: now,
        expiresAt: now + 3_600_000,
        accessToken: token,
        idToken: token,
        user: account,
        email: account,
        groups: ['system:serviceaccounts', 'system:authenticated'],
      },
    })
  })

  test('is shown to the API server once, however many come with it at the same moment', async () => {
    const { api, world } = cluster()
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    const token = await tokenOf()
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verify(token)))
    expect(verdicts.every((verdict) => 'session' in verdict)).toBe(true)
    expect(world.asked).toEqual(['/openid/v1/jwks', '/apis/authentication.k8s.io/v1/tokenreviews'])
    world.alive.clear()
    expect(await verify(token)).toEqual({ refused: 'not-authenticated' })
  })

  test('is refused once its account is gone', async () => {
    const { api, world } = cluster()
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    world.alive.clear()
    expect(await verify(await tokenOf())).toEqual({ refused: 'not-authenticated' })
  })

  test('is shown to the API server only where it says it is an account’s and meant for us', async () => {
    const { api, world } = cluster()
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf({ sub: 'ada' }))).toEqual({ refused: 'not-a-service-account' })
    expect(await verify('ey.not.a-token')).toEqual({ refused: 'not-a-service-account' })
    expect(await verify(await tokenOf({ aud: ['vault'] }))).toEqual({ refused: 'audience-mismatch' })
    expect(world.asked).toEqual([])
  })

  test('is not shown to it where it is forged or over, however many of them come', async () => {
    const { api, world } = cluster()
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    const strange = await tokenOf({ iss: undefined }, { isForged: true, kid: 'x' })
    const forged = [await forgedToken(), await tokenOf({ exp: now / 1000 - 60 }), strange]
    const outcomes = await Promise.all(Array.from({ length: 300 }, (_, at) => verify(forged[at % 3] ?? '')))
    expect(outcomes.every((outcome) => 'refused' in outcome)).toBe(true)
    expect(world.asked).toEqual(['/openid/v1/jwks'])
  })

  test('is reviewed unseen by a server that publishes no keys, but not by the hundred at a time', async () => {
    const { api, world } = cluster({ publishesKeys: false })
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    const forged = await Promise.all(Array.from({ length: 40 }, (_, at) => forgedToken({ jti: `${at}` })))
    const flood = await Promise.allSettled(forged.map((token) => verify(token)))
    const reviews = world.asked.filter((path) => path.endsWith('/tokenreviews'))
    expect(reviews).toHaveLength(32)
    expect(flood.filter(({ status }) => status === 'fulfilled')).toHaveLength(32)
    expect(await verify(await tokenOf())).toHaveProperty('session')
  })

  test('counts for nothing at a server that does not say for which audience it vouches', async () => {
    const { api } = cluster({ knowsAudiences: false })
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf())).toEqual({ refused: 'audience-mismatch' })
  })

  test('that we may not have reviewed is told an operator, once, with what to grant', async () => {
    const { tokenFile, fetch } = apiServer()
    const forbidding: typeof fetch = async (input, init) =>
      String(input).endsWith('/tokenreviews') ? Response.json({ kind: 'Status' }, { status: 403 }) : fetch(input, init)
    const api = openClusterApi({ url: 'https://kubernetes.default.svc', tokenFile, fetch: forbidding })
    const lines: string[] = []
    const told = openLog({ level: 'warn', now: clock.now, write: (line) => lines.push(line) })
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log: told })
    for (let round = 0; round < 2; round += 1) {
      await expect(verify(await tokenOf({ jti: `${round}` }))).rejects.toMatchObject({ code: 'cluster_unavailable' })
    }
    expect(lines).toEqual([expect.stringContaining('grant this service account the ClusterRole system:auth-delegator')])
  })

  test('cannot be judged while the API server is away', async () => {
    const { api, world } = cluster()
    world.isDown = true
    const { verify } = openTokenReview(api, { audiences: [audience], clock, log })
    await expect(verify(await tokenOf())).rejects.toMatchObject({ code: 'cluster_unavailable' })
  })
})

describe('a token that is verified by the cluster’s keys', () => {
  test('is its account; issuer and keys are discovered, and asked for once', async () => {
    const { api, world } = cluster()
    const { verify } = openTokenKeys(api, { audiences: [audience], clock, log })
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:ada-profile', 'system:authenticated']
    for (let round = 0; round < 2; round += 1) {
      expect(await verify(await tokenOf())).toMatchObject({ session: { user: account, email: account, groups } })
    }
    expect(world.asked).toEqual(['/openid/v1/jwks', '/.well-known/openid-configuration'])
  })

  test.each([['https://kubernetes.default.svc'], ['https://kubernetes.default.svc.cluster.local']])(
    'may spell the issuer %s',
    async (iss) => {
      const { api } = cluster()
      const { verify } = openTokenKeys(api, { audiences: [audience], clock, log })
      expect(await verify(await tokenOf({ iss }))).toHaveProperty('session')
    },
  )

  test.each([
    ['of another issuer', { iss: 'https://evil.example.com' }, 'issuer-mismatch'],
    ['for another audience', { aud: ['vault'] }, 'audience-mismatch'],
    ['that has expired', { exp: now / 1000 - 1 }, 'expired'],
    ['without an end', { exp: undefined }, 'expired'],
    ['of a person', { sub: 'system:serviceaccount' }, 'not-a-service-account'],
  ])('is refused %s', async (_what, claims, refused) => {
    const { api } = cluster()
    const { verify } = openTokenKeys(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf(claims))).toEqual({ refused })
  })

  test('is refused with a foreign signature', async () => {
    const { api } = cluster()
    const { verify } = openTokenKeys(api, { audiences: [audience], clock, log })
    expect(await verify(await forgedToken())).toEqual({ refused: 'bad-signature' })
  })

  test('is accepted again when an API server that was away comes back', async () => {
    const { api, world } = cluster()
    const later = testClock(now)
    const { verify } = openTokenKeys(api, { audiences: [audience], clock: later, log })
    world.isDown = true
    await expect(verify(await tokenOf())).rejects.toMatchObject({ code: 'cluster_unavailable' })
    world.isDown = false
    later.advance(10_000)
    expect(await verify(await tokenOf())).toHaveProperty('session')
  })

  test('needs the API server no more once that was asked in the background', async () => {
    const { api, world } = cluster()
    const { verify, refresh } = openTokenKeys(api, { audiences: [audience], clock, log })
    world.isDown = true
    expect(await refresh()).toBe(false)
    world.isDown = false
    expect(await refresh()).toBe(true)
    world.isDown = true
    expect(await verify(await tokenOf())).toHaveProperty('session')
  })
})

describe('a proxy that is told an audience of accounts and nothing else of bearer tokens', () => {
  async function world() {
    const { world: cluster, tokenFile, fetch } = apiServer()
    const settings = { kubernetes_token_audiences: [audience], kubernetes_token_file: tokenFile }
    const config = proxyConfigSchema.parse({ ...kubeflow, ...settings })
    return { cluster, ...(await proxyWorldOf(config, { elsewhere: fetch })) }
  }
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  test('lets them in, also beside a browser’s session, and remembers them', async () => {
    const { cluster, browser, signIn } = await world()
    await signIn()
    await browser.check('/')
    const token = await tokenOf()
    for (let round = 0; round < 3; round += 1) {
      const { status, headers } = await browser.check('/', bearer(token))
      expect([status, headers['x-auth-request-email']]).toEqual([200, account])
    }
    expect(cluster.asked).toEqual(['/openid/v1/jwks', '/apis/authentication.k8s.io/v1/tokenreviews'])
  })

  test('looks at no other: a person is who the session says, or is asked to sign in', async () => {
    const { cluster, browser, signIn, provider } = await world()
    await signIn()
    const own = await sign({ iss: issuer, aud: kubeflow.client_id, sub: 'x', email: 'x@example.com', exp: 1.8e9 })
    for (const token of [own, await tokenOf({ aud: ['vault'] }), 'ey.no.jwt', 'an-apps-own']) {
      const { status, headers } = await browser.check('/', bearer(token))
      expect([status, headers['x-auth-request-email']]).toEqual([200, provider.account['email']])
    }
    browser.cookies.clear()
    for (const token of [own, await tokenOf({ aud: ['vault'] })]) {
      expect((await browser.check('/', bearer(token))).status).toBe(403)
      expect((await browser.check('/api/x', bearer(token))).status).toBe(401)
    }
    expect(cluster.asked).toEqual([])
  })
})
