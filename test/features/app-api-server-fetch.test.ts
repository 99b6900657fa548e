import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withApiServer } from '../../src/app/api-server-fetch.ts'
import type { Fetch } from '../../src/http/part.ts'
import { selfSignedCertificate } from '../world/certificate.ts'

function pod() {
  const credentials = mkdtempSync(join(tmpdir(), 'gatehouse-pod-'))
  writeFileSync(join(credentials, 'ca.crt'), selfSignedCertificate('kubernetes.default.svc').cert)
  writeFileSync(join(credentials, 'token'), 'of-this-pod\n')
  return credentials
}

/** Tells which way a request went, and with which credential. */
const told =
  (way: string): Fetch =>
  async (input, init) =>
    Response.json({
      way,
      url: String(input),
      authorization: new Headers(init?.headers).get('authorization'),
      trusts: 'dispatcher' in (init ?? {}),
    })

const open = (credentials: string) => withApiServer(told('outside'), { reach: told('inside'), credentials })

test('in a pod the API server is asked as the pod, by any of its names', async () => {
  const fetch = open(pod())
  for (const host of ['kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'kubernetes.default']) {
    const url = `https://${host}/openid/v1/jwks`
    const answer = await (await fetch(url)).json()
    expect(answer, host).toEqual({ way: 'inside', url, authorization: 'Bearer of-this-pod', trusts: true })
  }
})

test('what Kubeflow’s cluster-jwks-proxy publishes is asked of the API server itself', async () => {
  const fetch = open(pod())
  for (const path of ['/openid/v1/jwks', '/.well-known/openid-configuration']) {
    const answer = await (await fetch(`http://cluster-jwks-proxy.istio-system.svc.cluster.local${path}`)).json()
    const url = `https://kubernetes.default.svc${path}`
    expect(answer).toEqual({ way: 'inside', url, authorization: 'Bearer of-this-pod', trusts: true })
  }
})

test('nobody else is shown the pod’s token', async () => {
  const fetch = open(pod())
  for (const url of [
    'https://kubernetes.default.svc.evil.example/openid/v1/jwks',
    'https://kubernetes.default.svc:8443/openid/v1/jwks',
    'http://kubernetes.default.svc/openid/v1/jwks',
    'https://issuer.example/keys?https://kubernetes.default.svc/',
    'https://kubernetes.default.svc@evil.example/',
    'http://cluster-jwks-proxy.istio-system.svc.cluster.local/api/v1/secrets',
    'http://cluster-jwks-proxy.evil.example/openid/v1/jwks',
    'http://cluster-jwks-proxy.istio-system.svc.evil.example/openid/v1/jwks',
  ]) {
    const answer = await (await fetch(url)).json()
    expect(answer, url).toEqual({ way: 'outside', url, authorization: null, trusts: false })
  }
})

test('outside a cluster nothing changes', async () => {
  const answer = await open(mkdtempSync(join(tmpdir(), 'gatehouse-no-pod-')))('https://kubernetes.default.svc/')
  expect(await answer.json()).toMatchObject({ way: 'outside', authorization: null, trusts: false })
})
