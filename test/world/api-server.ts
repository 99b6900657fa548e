import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { publicJwk } from '../../src/tokens/jwk.ts'
import { signJwt } from '../../src/tokens/sign.ts'

/** The issuer no file names: as a cloud spells its cluster's. */
export const clusterIssuer = 'https://oidc.eks.example.com/id/1'
/** Whom tokens are of unless told. */
export const account = 'system:serviceaccount:ada-profile:default-editor'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** A service account's token as the kubelet projects it. */
export function accountToken(
  claims: Readonly<Record<string, unknown>>,
  { isForged = false, kid = 'sa-1' }: { readonly isForged?: boolean; readonly kid?: string } = {},
): Promise<string> {
  return signJwt(
    { iss: clusterIssuer, sub: account, ...claims },
    { kid, alg: 'RS256', privateKey: isForged ? foreignKey : privateKey },
  )
}

/** An API server that reviews tokens as kube-apiserver does, and publishes its keys to whoever holds a service account. */
export function apiServer({ knowsAudiences = true, publishesKeys = true, alive = [account] } = {}) {
  const world = { isDown: false, asked: [] as string[], alive: new Set(alive) }
  const tokenFile = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'token')
  writeFileSync(tokenFile, 'our-own-token\n')

  function review({ token, audiences = [] }: { token: string; audiences?: string[] }): Response {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      sub: string
      aud: string[]
    }
    const vouched = audiences.filter((one) => claims.aud.includes(one))
    const authenticated = world.alive.has(claims.sub) && vouched.length > 0
    const user = { username: claims.sub, groups: ['system:serviceaccounts', 'system:authenticated'] }
    return Response.json({
      status: { authenticated, ...(authenticated ? { user } : {}), ...(knowsAudiences ? { audiences: vouched } : {}) },
    })
  }

  async function fetch(input: Request | string | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    if (world.isDown) throw new TypeError('connection refused')
    const { pathname } = new URL(request.url)
    world.asked.push(pathname)
    if (request.headers.get('authorization') !== 'Bearer our-own-token') return new Response('{}', { status: 401 })
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return Response.json({ issuer: clusterIssuer })
      case '/openid/v1/jwks':
        if (!publishesKeys) return new Response('{}', { status: 403 })
        return Response.json({ keys: [publicJwk(privateKey, { kid: 'sa-1', alg: 'RS256' })] })
      case '/apis/authentication.k8s.io/v1/tokenreviews':
        return review(((await request.json()) as { spec: { token: string } }).spec)
      default:
        return new Response('{}', { status: 404 })
    }
  }

  /** The same over a socket. */
  async function listen() {
    const server = createServer(async (request, response) => {
      const body = await text(request)
      const headers = { authorization: request.headers.authorization ?? '' }
      const init = { method: request.method ?? 'GET', headers, ...(body === '' ? {} : { body }) }
      const answer = await fetch(`http://cluster${request.url}`, init).catch(() => undefined)
      if (answer) response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      else response.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, close: () => void server.close() }
  }

  return { world, tokenFile, fetch, listen }
}
