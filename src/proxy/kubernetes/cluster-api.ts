import { readFile } from 'node:fs/promises'
import type { Fetch } from '../../http/part.ts'
import { GatehouseError } from '../../kit/errors.ts'
import type { JsonObject } from '../../tokens/jwt.ts'

/** The Kubernetes API server, asked as the service account this program runs under. */
export interface ClusterApi {
  /** @throws GatehouseError `cluster_unavailable` where it does not answer as it should. */
  get(path: string): Promise<JsonObject>
  /** @throws GatehouseError `cluster_unavailable` */
  post(path: string, body: object): Promise<JsonObject>
  /** A `fetch` for its URLs, with our credential. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** `https://kubernetes.default.svc`. */
  readonly url: string
}

const timeoutMilliseconds = 5_000

/**
 * Opens the client. `tokenFile` is read for each request: the kubelet replaces its content long before it expires
 * (projected volumes), and requests are few. `fetch` trusts the cluster's CA.
 */
export function openClusterApi({
  url,
  tokenFile,
  fetch,
}: {
  readonly url: string
  readonly tokenFile: string
  readonly fetch: Fetch
}): ClusterApi {
  async function fetchAsOurselves(target: string, init: RequestInit): Promise<Response> {
    const token = (await readFile(tokenFile, 'utf8')).trim()
    const headers = { ...init.headers, authorization: `Bearer ${token}`, accept: 'application/json' }
    return fetch(target, { signal: AbortSignal.timeout(timeoutMilliseconds), ...init, redirect: 'error', headers })
  }

  async function ask(path: string, init: RequestInit): Promise<JsonObject> {
    const response = await fetchAsOurselves(url + path, init).catch((cause: unknown) =>
      unavailable(`the Kubernetes API server does not answer at \`${url}\``, cause),
    )
    const value: unknown = await response.json().catch(() => undefined)
    if (!response.ok || typeof value !== 'object' || value === null) {
      const advice = response.status === 403 ? '; grant this service account the ClusterRole system:auth-delegator' : ''
      return unavailable(`the Kubernetes API server answered ${response.status} at \`${path}\`${advice}`)
    }
    return value as JsonObject // an object: checked above
  }

  return {
    url,
    fetch: fetchAsOurselves,
    get: (path) => ask(path, { method: 'GET' }),
    post: (path, body) =>
      ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }
}

function unavailable(message: string, cause?: unknown): never {
  throw new GatehouseError('cluster_unavailable', message, { cause })
}
