import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fetchWithTrust } from '../http/fetch-with-trust.ts'
import type { Fetch } from '../http/part.ts'

/** The names every pod knows the Kubernetes API server by. */
const apiServers: readonly string[] = [
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
  'https://kubernetes.default',
]

/** Kubeflow's way to publish the API server's keys: what it would answer is asked of the API server itself. */
const jwksProxy = /^http:\/\/cluster-jwks-proxy(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?$/
const publishedPaths: readonly string[] = ['/openid/v1/jwks', '/.well-known/openid-configuration']

/** Where the kubelet puts a pod's credentials. */
const podCredentials = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The same `fetch`, but in a pod what it asks the API server it asks as the pod's service account and by the cluster's
 * own authority. So a RequestAuthentication may name `https://kubernetes.default.svc/openid/v1/jwks` itself, and Kubeflow's
 * own works without the `cluster-jwks-proxy` it names. `reach` is what the API server is reached by.
 */
export function withApiServer(
  fetch: Fetch,
  { reach, credentials = podCredentials }: { readonly reach: Fetch; readonly credentials?: string },
): Fetch {
  const authority = `${credentials}/ca.crt`
  if (!existsSync(authority)) return fetch
  const trusting = fetchWithTrust(reach, { caFiles: [authority], withSystem: false, isBlind: false })
  return async (input, init) => {
    const asked = new URL(input instanceof Request ? input.url : input)
    const target = apiServerUrl(asked)
    if (!target) return fetch(input, init)
    const token = await readFile(`${credentials}/token`, 'utf8') // read anew: the kubelet replaces it
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
    headers.set('authorization', `Bearer ${token.trim()}`)
    const request = target === asked ? input : target
    return trusting(request, { ...init, redirect: 'error', headers })
  }
}

/** The address at the API server, where what is asked for is there. */
function apiServerUrl(url: URL): URL | undefined {
  if (apiServers.includes(url.origin)) return url
  const isPublished = jwksProxy.test(url.origin) && publishedPaths.includes(url.pathname)
  return isPublished ? new URL(url.pathname, apiServers[0]) : undefined
}
