import type { Fetch } from '../../http/part.ts'
import { GatehouseError } from '../../kit/errors.ts'

/** A provider's API, asked with someone's access token. */
export interface ProviderApi {
  /**
   * The JSON an endpoint answers.
   * @throws GatehouseError `provider_unavailable` where it does not answer, `api_refused` for any status but 2xx; its
   * `detail` begins with the status.
   */
  json(url: string, request?: ApiRequest): Promise<unknown>
  /** The status an endpoint answers. @throws GatehouseError `provider_unavailable`. */
  status(url: string, request?: ApiRequest): Promise<number>
  /** Every page of a list, page after page as long as `next` names one. @throws GatehouseError like `json`. */
  pages(url: string, request: ApiRequest & { next: NextPage }): Promise<unknown[]>
}

/** How an endpoint is asked. */
export interface ApiRequest {
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly body?: string
}

/** The URL of the next page, of an answer that is one. */
export type NextPage = (page: unknown, response: Response) => string | undefined

const timeout = 10_000
const maxBytes = 4 * 1024 * 1024
/** More pages than this are a provider gone wrong. */
const maxPages = 100

/** Opens the API over `fetch`. Redirects are refused: they would carry the token along. */
export function openProviderApi(fetch: Fetch): ProviderApi {
  async function ask(url: string, { method = 'GET', headers = {}, body }: ApiRequest = {}) {
    try {
      const signal = AbortSignal.timeout(timeout)
      const init = { method, headers: { ...headers }, ...(body === undefined ? {} : { body }) }
      const response = await fetch(url, { ...init, redirect: 'error', signal })
      return { response, text: await response.text() }
    } catch (cause) {
      throw new GatehouseError('provider_unavailable', 'the API of the sign-in provider does not answer', { cause })
    }
  }

  async function page(url: string, request: ApiRequest = {}) {
    const { response, text } = await ask(url, request)
    if (!response.ok) {
      const code = response.status >= 500 || response.status === 429 ? 'provider_unavailable' : 'api_refused'
      const detail = `${response.status} from ${pathOf(url)}`
      throw new GatehouseError(code, 'the API of the sign-in provider refused to answer', { detail })
    }
    return { response, value: parse(text, url) }
  }

  return {
    json: async (url, request) => (await page(url, request)).value,
    status: async (url, request) => (await ask(url, request)).response.status,
    async pages(url, { next, ...request }) {
      const values: unknown[] = []
      for (let at: string | undefined = url; at !== undefined; ) {
        if (values.length >= maxPages || new URL(at).origin !== new URL(url).origin) break
        const { response, value } = await page(at, request)
        values.push(value)
        at = next(value, response)
      }
      return values
    },
  }
}

function parse(text: string, url: string): unknown {
  try {
    if (text.length <= maxBytes) return JSON.parse(text)
  } catch {
    // Told below, without what was answered: it may carry anything.
  }
  throw new GatehouseError('api_refused', 'the API of the sign-in provider answered no JSON', { detail: pathOf(url) })
}

/** A URL for the log: its query may carry a token. */
function pathOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/** The member of a JSON value at this path, or `undefined`. */
export function memberAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, step) => {
    const isObject = typeof inner === 'object' && inner !== null && Object.hasOwn(inner, step)
    return isObject ? (inner as Record<string | number, unknown>)[step] : undefined
  }, value)
}

/** The text at this path of a JSON value; `undefined` where there is none or an empty one. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = memberAt(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The list at this path of a JSON value; empty where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = memberAt(value, ...path)
  return Array.isArray(found) ? found : []
}

/** The texts of the list at this path; empty ones left out. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): string[] {
  return listAt(value, ...path).filter((one): one is string => typeof one === 'string' && one !== '')
}
