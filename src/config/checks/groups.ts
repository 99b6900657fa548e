import type { Problems } from '../../kit/problems.ts'
import { type Place, placeInDex, placeInProxy } from '../places.ts'
import { isRealmOf } from '../realm-users.ts'
import type { CheckedChain } from './checked-chain.ts'

/** Groups travel realm → connector → Dex → proxy → header, and stop where one of them is not told to pass them on. */
export function checkGroups({ publicUrl, originals, broker, proxy, gateway }: CheckedChain, problems: Problems): void {
  const own = problems.under('groups-stop')
  const stop = (place: Place | undefined, hop: string, fix: string) => {
    if (place) own.warn(place.source, place.path, `groups stop at ${hop}, so \`kubeflow-groups\` stays empty`, fix)
  }
  for (const [index, { type, id, config }] of (broker?.connectors ?? []).entries()) {
    if (type !== 'oidc') continue
    const hop = `the connector ${id}`
    const path = ['connectors', index, 'config']
    if (isRealmOf(publicUrl, config.issuer) && !config.scopes.includes('groups')) {
      stop(placeInDex(originals, [...path, 'scopes']), hop, 'add the scope `groups`')
    }
    if (!config.insecureEnableGroups) stop(placeInDex(originals, path), hop, 'set `insecureEnableGroups: true`')
  }
  if (proxy && !proxy.scope.split(' ').includes('groups')) {
    stop(
      placeInProxy(originals, 'scope'),
      proxy.authservice ? 'oidc-authservice' : 'oauth2-proxy',
      'add the scope `groups`',
    )
  }
  const rules = gateway.requestAuthentications.flatMap(({ jwtRules }) => jwtRules)
  const rule = proxy?.authservice ? undefined : rules.find(({ issuer }) => issuer === proxy?.oidc_issuer_url)
  if (!rule || rule.outputClaimToHeaders.some(({ claim }) => claim === 'groups')) return
  problems.list.push({
    severity: 'warning',
    rule: 'groups-stop',
    ...rule.place,
    message: 'groups stop at the gateway, so `kubeflow-groups` stays empty',
    fix: 'add `{header: kubeflow-groups, claim: groups}` to outputClaimToHeaders',
  })
}
