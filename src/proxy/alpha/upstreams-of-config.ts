import { fail } from '../../kit/errors.ts'
import type { ProxyConfig } from '../typed-config.ts'
import type { AlphaInput } from './alpha-options.ts'

type Upstream = NonNullable<NonNullable<AlphaInput['upstreamConfig']>['upstreams']>[number]

/**
 * The `upstreams` key as alpha upstreams (oauth2-proxy pkg/apis/options/legacy_options.go, `LegacyUpstreams.convert`).
 * @throws GatehouseError `config` for one that is no URL.
 */
export function upstreamsOfConfig(config: ProxyConfig): Upstream[] {
  return config.upstreams.map((url) => upstreamOf(url, config))
}

function upstreamOf(url: string, config: ProxyConfig): Upstream {
  const { scheme, host, path, fragment } =
    partsOf(url) ?? fail('config', `error converting upstreams: could not parse upstream ${JSON.stringify(url)}`)
  if (scheme === 'static') return staticUpstream(url, host)
  const place = scheme === 'file' && fragment !== '' ? fragment : path || '/'
  return {
    id: place,
    path: scheme === 'unix' ? '/' : place,
    uri: scheme === 'file' && fragment !== '' ? url.slice(0, url.indexOf('#')) : url,
    insecureSkipTLSVerify: config.ssl_upstream_insecure_skip_verify,
    passHostHeader: config.pass_host_header,
    proxyWebSockets: config.proxy_websockets,
    flushInterval: nanoseconds(config.flush_interval),
    timeout: nanoseconds(config.upstream_timeout),
    disableKeepAlives: config.disable_keep_alives,
  }
}

const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6)

/** A status, whatever the path; a host that is no number is 200, as in the original. */
function staticUpstream(url: string, host: string): Upstream {
  const staticCode = /^[+-]?\d{1,9}$/.test(host) ? Number(host) : 200
  return { id: url, path: '/', static: true, staticCode, passHostHeader: false, proxyWebSockets: false }
}

/** A URL as Go's `url.Parse` takes it apart, which reads `static://` and `unix://` where `URL` does not. */
function partsOf(url: string) {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(url)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses them
  if (!match || /[\x00-\x1f\x7f]/.test(url)) return undefined
  const [, scheme = '', host = '', path = '', fragment = ''] = match
  if (scheme === '' && path.split('/')[0]?.includes(':')) return undefined
  try {
    return {
      scheme: scheme.toLowerCase(),
      host,
      path: decodeURIComponent(path),
      fragment: decodeURIComponent(fragment),
    }
  } catch {
    return undefined
  }
}
