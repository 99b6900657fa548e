import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openLog } from '../../src/kit/log.ts'
import { openTokenKeys, openTokenReview } from '../../src/proxy/kubernetes/account-tokens.ts'
import { openClusterApi } from '../../src/proxy/kubernetes/cluster-api.ts'
import { publicJwk } from '../../src/tokens/jwk.ts'
import { signJwt } from '../../src/tokens/sign.ts'

const now = 1_700_000_000_000
const clock = { now: () => now }
const log = openLog({ level: 'error', now: clock.now, write: () => {} })
const audience = 'istio-ingressgateway.istio-system.svc.cluster.local'
const account = 'system:serviceaccount:ada-profile:default-editor'
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const tokenOf = (claims: Record<string, unknown> = {}, key = privateKey) =>
  signJwt(
    { iss: 'https://oidc.eks.example.com/id/1', sub: account, aud: [audience], exp: now / 1000 + 3600, ...claims },
    { kid: 'sa-1', alg: 'RS256', privateKey: key },
  )

/** An API server that reviews tokens as kube-apiserver does, and publishes its keys to whoever holds a service account. */
function cluster({ knowsAudiences = true, publishesKeys = true, alive = [account] } = {}) {
  const world = { isDown: false, asked: [] as string[], alive: new Set(alive) }
  const tokenFile = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'token')
  writeFileSync(tokenFile, 'our-own-token\n')

  async function answer(input: Request | string | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    if (world.isDown) throw new TypeError('connection refused')
    const { pathname, origin } = new URL(request.url)
    world.asked.push(pathname)
    if (origin !== 'https://kubernetes.default.svc') throw new TypeError('unknown host')
    if (request.headers.get('authorization') !== 'Bearer our-own-token') return new Response('{}', { status: 401 })
    if (pathname === '/.well-known/openid-configuration') {
      return Response.json({ issuer: 'https://oidc.eks.example.com/id/1' })
    }
    if (pathname === '/openid/v1/jwks') {
      if (!publishesKeys) return new Response('{}', { status: 403 })
      return Response.json({ keys: [publicJwk(privateKey, { kid: 'sa-1', alg: 'RS256' })] })
    }
    const { spec } = (await request.json()) as { spec: { token: string; audiences: string[] } }
    const claims = JSON.parse(Buffer.from(spec.token.split('.')[1] ?? '', 'base64url').toString())
    const audiences = spec.audiences.filter((one) => claims.aud.includes(one))
    const authenticated = world.alive.has(claims.sub) && audiences.length > 0
    const user = { username: claims.sub, groups: ['system:serviceaccounts', 'system:authenticated'] }
    return Response.json({
      status: { authenticated, ...(authenticated ? { user } : {}), ...(knowsAudiences ? { audiences } : {}) },
    })
  }
  return { ...world, world, api: openClusterApi({ url: 'https://kubernetes.default.svc', tokenFile, fetch: answer }) }
}

describe('a token that the API server reviews', () => {
  test('is its account, by the name apps know it by', async () => {
    const { api } = cluster()
    const token = await tokenOf()
    expect(await openTokenReview(api, { audiences: [audience], clock, log })(token)).toEqual({
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

  test('is refused once its account is gone', async () => {
    const { api, world } = cluster()
    const verify = openTokenReview(api, { audiences: [audience], clock, log })
    world.alive.clear()
    expect(await verify(await tokenOf())).toEqual({ refused: 'not-authenticated' })
  })

  test('is shown to the API server only where it says it is an account’s and meant for us', async () => {
    const { api, world } = cluster()
    const verify = openTokenReview(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf({ sub: 'ada' }))).toEqual({ refused: 'not-a-service-account' })
    expect(await verify('ey.not.a-token')).toEqual({ refused: 'not-a-service-account' })
    expect(await verify(await tokenOf({ aud: ['vault'] }))).toEqual({ refused: 'audience-mismatch' })
    expect(world.asked).toEqual([])
  })

  test('is not shown to it where it is forged or over, however many of them come', async () => {
    const { api, world } = cluster()
    const verify = openTokenReview(api, { audiences: [audience], clock, log })
    const strange = await signJwt(
      { sub: account, aud: [audience], exp: now / 1000 + 3600 },
      { kid: 'x', alg: 'RS256', privateKey: foreignKey },
    )
    const forged = [await tokenOf({}, foreignKey), await tokenOf({ exp: now / 1000 - 60 }), strange]
    const outcomes = await Promise.all(Array.from({ length: 300 }, (_, at) => verify(forged[at % 3] ?? '')))
    expect(outcomes.every((outcome) => 'refused' in outcome)).toBe(true)
    expect(world.asked).toEqual(['/openid/v1/jwks'])
  })

  test('is reviewed unseen by a server that publishes no keys, but not by the hundred at a time', async () => {
    const { api, world } = cluster({ publishesKeys: false })
    const verify = openTokenReview(api, { audiences: [audience], clock, log })
    const forged = await tokenOf({}, foreignKey)
    const flood = await Promise.allSettled(Array.from({ length: 300 }, () => verify(forged)))
    const reviews = world.asked.filter((path) => path.endsWith('/tokenreviews'))
    expect(reviews).toHaveLength(32)
    expect(flood.filter(({ status }) => status === 'fulfilled')).toHaveLength(32)
    expect(await verify(await tokenOf())).toHaveProperty('session')
  })

  test('counts for nothing at a server that does not say for which audience it vouches', async () => {
    const { api } = cluster({ knowsAudiences: false })
    const verify = openTokenReview(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf())).toEqual({ refused: 'audience-mismatch' })
  })

  test('cannot be judged while the API server is away', async () => {
    const { api, world } = cluster()
    world.isDown = true
    const verify = openTokenReview(api, { audiences: [audience], clock, log })
    await expect(verify(await tokenOf())).rejects.toMatchObject({ code: 'cluster_unavailable' })
  })
})

describe('a token that is verified by the cluster’s keys', () => {
  test('is its account; issuer and keys are discovered, and asked for once', async () => {
    const { api, world } = cluster()
    const verify = openTokenKeys(api, { audiences: [audience], clock, log })
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:ada-profile', 'system:authenticated']
    for (let round = 0; round < 2; round += 1) {
      expect(await verify(await tokenOf())).toMatchObject({ session: { user: account, email: account, groups } })
    }
    expect(world.asked).toEqual(['/.well-known/openid-configuration', '/openid/v1/jwks'])
  })

  test.each([['https://kubernetes.default.svc'], ['https://kubernetes.default.svc.cluster.local']])(
    'may spell the issuer %s',
    async (iss) => {
      const { api } = cluster()
      expect(await openTokenKeys(api, { audiences: [audience], clock, log })(await tokenOf({ iss }))).toHaveProperty(
        'session',
      )
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
    const verify = openTokenKeys(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf(claims))).toEqual({ refused })
  })

  test('is refused with a foreign signature', async () => {
    const { api } = cluster()
    const verify = openTokenKeys(api, { audiences: [audience], clock, log })
    expect(await verify(await tokenOf({}, foreignKey))).toEqual({ refused: 'bad-signature' })
  })

  test('is accepted again when an API server that was away comes back', async () => {
    const { api, world } = cluster()
    const verify = openTokenKeys(api, { audiences: [audience], clock, log })
    world.isDown = true
    await expect(verify(await tokenOf())).rejects.toMatchObject({ code: 'cluster_unavailable' })
    world.isDown = false
    expect(await verify(await tokenOf())).toHaveProperty('session')
  })
})
