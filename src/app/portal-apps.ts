import type { ChainConfig } from '../config/chain.ts'
import { partAt } from '../config/host-map.ts'
import type { ChainPart } from '../config/stock.ts'
import type { PortalApp } from '../console/console.ts'
import type { HttpRoute } from '../gateway/virtual-service.ts'
import type { RequestFacts } from '../policy/facts.ts'

const demoApps: Partial<Record<ChainPart, PortalApp>> = {
  echo: {
    name: 'Echo',
    description: 'Shows what the gateway tells an app about you.',
    href: '/echo/',
    kind: 'headers',
  },
  notes: {
    name: 'Notes',
    description: 'A small notebook that signs you in by itself.',
    href: '/notes/',
    kind: 'oidc',
  },
}

/** The tiles of the portal: every app that a VirtualService gives a path of its own, in the order of their paths. */
export function portalApps(chain: ChainConfig): PortalApp[] {
  const apps = chain.gateway.virtualServices.flatMap(({ http }) => http).flatMap((route) => appsOf(route, chain))
  const byHref = new Map(apps.map((app) => [app.href, app]))
  return [...byHref.values()].sort((a, b) => a.href.localeCompare(b.href))
}

function appsOf({ matches, action }: HttpRoute, { hosts, gateway }: ChainConfig): PortalApp[] {
  const [destination] = action.kind === 'forward' ? action.destinations : []
  if (!destination) return []
  const part = partAt(hosts, destination.host, destination.namespace)
  const demo = part && demoApps[part]
  return matches.flatMap(({ uri, method, headers }) => {
    const path = uri?.kind === 'prefix' && !method && headers.length === 0 ? uri.text : ''
    if (demo && demo.href === path) return demo
    const isApp = /^\/(?!apis?\/)[^/]+\/?$/.test(path) && (part === undefined || demo !== undefined)
    return isApp ? { name: titleOf(path), description: `Opens ${path}`, href: path, kind: kindOf(path, gateway) } : []
  })
}

/** Where every policy that looks at paths lets an app's alone, the app signs its users in itself. */
function kindOf(prefix: string, { authorizationPolicies }: ChainConfig['gateway']): PortalApp['kind'] {
  const path = `${prefix.replace(/\/$/, '')}/x`
  const lists = authorizationPolicies
    .filter(({ action }) => action === 'CUSTOM' || action === 'DENY')
    .flatMap(({ rules }) => rules.flatMap(({ operations }) => operations.flatMap(({ conditions }) => conditions)))
    .filter(({ field }) => field === 'notPaths')
  return lists.length > 0 && lists.every(({ test }) => test({ ...nobody, path })) ? 'own' : 'headers'
}

const nobody: RequestFacts = {
  ...{ method: 'GET', path: '/', query: '', host: '', peerAddress: '', clientAddress: '', localAddress: '' },
  ...{ localPort: 0, serverName: undefined, claims: undefined },
  header: () => undefined,
}

/** `/kserve-endpoints/` → `Kserve endpoints` */
function titleOf(path: string): string {
  const words = path.replaceAll('/', '').replaceAll(/[-_]+/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
