import type { Adapting } from './adapt.ts'
import { isPlaceholderSecret } from './known-public-secrets.ts'
import type { Originals, ProxyOriginal } from './originals.ts'
import { proxySetting, proxyText, withProxySetting } from './proxy-settings.ts'

/**
 * Fits oauth2-proxy to this run: a cookie secret where no file brings one, cookies that a browser keeps at the public
 * URL (not `Secure` without TLS, no other domain).
 */
export function fitProxy(originals: Originals, { publicUrl, secrets, report }: Adapting): Originals {
  if (!originals.proxy) return originals
  let { proxy } = originals
  if (isPlaceholderSecret(proxyText(proxy, 'cookie_secret')) && proxyText(proxy, 'cookie_secret_file') === undefined) {
    proxy = withProxySetting(proxy, 'cookie_secret', secrets.cookie)
    report.filled('oauth2-proxy cookie_secret', { to: 'a generated secret' })
  }
  const secure = proxyText(proxy, 'cookie_secure')
  if (publicUrl.startsWith('http:') && !/^(?:false|f|0)$/i.test(secure ?? '')) {
    tellChange(proxy, 'cookie_secure', { report, to: 'false', why: `${publicUrl} has no TLS` })
    proxy = withProxySetting(proxy, 'cookie_secure', 'false')
  }
  const host = publicUrl.replace(/^.*\/\//, '').replace(/:\d+$/, '')
  const domains = proxySetting(proxy, 'cookie_domains')
  const isForUs = [domains?.value ?? []]
    .flat()
    .some((domain) => `.${host}`.endsWith(`.${String(domain).replace(/^\./, '')}`))
  if (domains && !isForUs) {
    tellChange(proxy, 'cookie_domains', { report, to: 'none', why: `${host} is in none of them` })
    proxy = withProxySetting(proxy, 'cookie_domains', undefined)
  }
  return { ...originals, proxy }
}

function tellChange(
  proxy: ProxyOriginal,
  key: 'cookie_secure' | 'cookie_domains',
  { report, to, why }: Pick<Adapting, 'report'> & { to: string; why: string },
): void {
  const setting = proxySetting(proxy, key)
  if (setting) report.at('changed', setting.source, setting.path, key, { from: String(setting.value), to, why })
  else report.filled(`oauth2-proxy ${key}`, { to, why })
}
