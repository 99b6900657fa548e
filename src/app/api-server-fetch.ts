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

/** Where the kubelet puts a pod's credentials. */
const podCredentials = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The same `fetch`, but in a pod what it asks the API server it asks as the pod's service account and by the cluster's
 * own authority. So a RequestAuthentication may name `https://kubernetes.default.svc/openid/v1/jwks` itself: nothing has
 * to publish those keys (Kubeflow's `cluster-jwks-proxy`). `reach` is what the API server is reached by.
 */
export function withApiServer(
  fetch: Fetch,
  { reach, credentials = podCredentials }: { readonly reach: Fetch; readonly credentials?: string },
): Fetch {
  const authority = `${credentials}/ca.crt`
  if (!existsSync(authority)) return fetch
  const trusting = fetchWithTrust(reach, { caFiles: [authority], withSystem: false, isBlind: false })
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (!apiServers.includes(url.origin)) return fetch(input, init)
    const token = await readFile(`${credentials}/token`, 'utf8') // read anew: the kubelet replaces it
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
    headers.set('authorization', `Bearer ${token.trim()}`)
    return trusting(input, { ...init, redirect: 'error', headers })
  }
}
