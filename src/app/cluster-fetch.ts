import { existsSync } from 'node:fs'
import { fetchWithTrust } from '../http/fetch-with-trust.ts'
import type { Fetch } from '../http/part.ts'
import type { ProxyConfig } from '../proxy/config.ts'

/**
 * How the Kubernetes API server is reached: by the authority it has of its own (`kubernetes_ca_file`), which is believed
 * for nothing else. @throws an error of the file system for a file that cannot be read.
 */
export function openClusterFetch(config: ProxyConfig): Fetch {
  const reach: Fetch = (input, init) => fetch(input, init)
  const { kubernetes_token_audiences: audiences, kubernetes_ca_file: file } = config
  // outside a cluster `kubernetes_api_url` may have a certificate everybody believes
  if (audiences.length === 0 || !existsSync(file)) return reach
  return fetchWithTrust(reach, { caFiles: [file], withSystem: false, isBlind: false })
}
