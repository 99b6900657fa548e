import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { isForbiddenAddress, isForbiddenHost } from '../http/forbidden-addresses.ts'
import type { Fetch } from '../http/part.ts'

/** `fetch` for everything that is not ours: issuers, key sets, identity providers. */
export interface OutsideFetch {
  readonly fetch: Fetch
  close(): Promise<void>
}

/**
 * Opens a `fetch` that never connects to a forbidden address (`http/forbidden-addresses.ts`), whether a URL, a redirect
 * or a name server leads there: what is judged is the resolved address, and that one is connected to, so that a name
 * cannot be bound to another in between. Its errors are those of `fetch`. The one exception is the proxy's own question
 * to Google's metadata server.
 */
export function openOutsideFetch({ lookup = systemLookup }: { lookup?: LookupFunction } = {}): OutsideFetch {
  const connect = buildConnector({ lookup: guarded(lookup), timeout: 10_000 } as buildConnector.BuildOptions)
  const dispatcher = new Agent({
    connect(options, callback) {
      // for an address as written nobody is asked
      if (isForbiddenHost(options.hostname)) callback(refusal(options.hostname), null)
      else connect(options, callback)
    },
  })
  return {
    fetch(input, init) {
      if (asksGoogleForOurCredentials(input, init)) return fetch(input, init)
      // The types of Node's own undici and of the package differ, the interface between them does not. Who brings a
      // dispatcher (`fetchWithTrust`, for one provider's own authority) asks a host the configuration names.
      return fetch(input, { dispatcher, ...init } as object)
    },
    close: () => dispatcher.destroy(),
  }
}

/**
 * Google's metadata server where the proxy was told to use the credentials of its machine. The header is Google's own
 * guard: nobody who only gives us a URL can have it sent.
 */
function asksGoogleForOurCredentials(...[input, init]: Parameters<Fetch>): boolean {
  const url = input instanceof Request ? input.url : String(input)
  if (URL.parse(url)?.host !== 'metadata.google.internal') return false
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  return headers.get('metadata-flavor') === 'Google'
}

function guarded(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) {
        callback(error, [])
        return
      }
      const allowed = (found as LookupAddress[]).filter(({ address }) => !isForbiddenAddress(address)) // `all` was asked for
      const [first] = allowed
      if (!first) callback(refusal(hostname), [])
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refusal(hostname: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`\`${hostname}\` leads to an address nothing is fetched from`)
  error.code = 'EFORBIDDEN'
  return error
}
