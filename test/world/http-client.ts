import { request } from 'undici'

/** A scripted client: HTTP and cookies, nothing else. Follows redirects by hand so that tests can see each hop. */
export interface HttpClient {
  /** One request; cookies are sent and kept, redirects are not followed. */
  send(url: string, init?: RequestInit): Promise<Response>
  /** Follows redirects (303 and POST→GET as browsers do) up to 20 hops; `hops` lists every URL that answered. */
  follow(
    url: string,
    init?: RequestInit,
  ): Promise<{ response: Response; url: string; hops: readonly string[]; text: string }>
  /** Submits a page's first form with these fields over its own hidden ones, from the page at `url`. */
  submit(
    page: { url: string; text: string },
    fields: Readonly<Record<string, string>>,
  ): ReturnType<HttpClient['follow']>
  /** The jar, as `name=value` by name. */
  readonly cookies: ReadonlyMap<string, StoredCookie>
}

/** A cookie in the jar. */
export interface StoredCookie {
  readonly name: string
  readonly value: string
  readonly path: string
  readonly attributes: string
}

/** Opens a client with an empty jar. Every URL is taken to be of one host, as behind one gateway. */
export function httpClient(fetcher: (url: string, init: RequestInit) => Promise<Response> = plainFetch): HttpClient {
  const jar = new Map<string, StoredCookie>()

  const cookieHeader = (path: string) =>
    [...jar.values()]
      .filter(
        (cookie) =>
          path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
      )
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')

  const keepCookies = (response: Response, path: string) => {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/; */)
      const equals = pair.indexOf('=')
      const attribute = (name: string) =>
        attributes.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
      const cookie = {
        name: pair.slice(0, equals),
        value: pair.slice(equals + 1),
        path: attribute('path') ?? path.slice(0, path.lastIndexOf('/') || 1),
        attributes: attributes.join('; '),
      }
      const key = `${cookie.name} ${cookie.path}`
      if (attribute('max-age') === '0' || cookie.value === '') jar.delete(key)
      else jar.set(key, cookie)
    }
  }

  const send: HttpClient['send'] = async (url, init = {}) => {
    const { pathname } = new URL(url)
    const headers = new Headers(init.headers)
    const cookies = cookieHeader(pathname)
    if (cookies !== '') headers.set('cookie', cookies)
    const response = await fetcher(url, { ...init, headers, redirect: 'manual' })
    keepCookies(response, pathname)
    return response
  }

  const follow: HttpClient['follow'] = async (start, init) => {
    let url = start
    let response = await send(url, init)
    const hops = [url]
    while (response.status >= 301 && response.status <= 308 && response.headers.has('location')) {
      if (hops.length > 20) throw new Error(`redirect loop:\n${hops.join('\n')}`)
      url = new URL(response.headers.get('location') ?? '', url).href
      hops.push(url)
      response = await send(url)
    }
    return { response, url, hops, text: await response.text() }
  }

  return {
    cookies: jar,
    send,
    follow,
    submit({ url, text }, fields) {
      const form = /<form\b[^>]*>[\s\S]*?<\/form>/i.exec(text)?.[0]
      if (!form) throw new Error(`no form on ${url}:\n${text.slice(0, 2000)}`)
      const body = new URLSearchParams()
      for (const [input] of form.matchAll(/<input\b[^>]*>/gi)) {
        const name = attributeOf(input, 'name')
        if (name !== undefined && attributeOf(input, 'type') === 'hidden')
          body.set(name, attributeOf(input, 'value') ?? '')
      }
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      const action = new URL(attributeOf(form, 'action') ?? url, url)
      if ((attributeOf(form, 'method') ?? 'get').toLowerCase() === 'post')
        return follow(action.href, { method: 'POST', body })
      for (const [name, value] of body) action.searchParams.set(name, value)
      return follow(action.href)
    },
  }
}

function attributeOf(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*("([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag)
  const value = found?.[2] ?? found?.[3] ?? found?.[4]
  return value
    ?.replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
}

/** HTTP as curl and Python speak it: `fetch` of Node would say `Sec-Fetch-Mode: cors`, as no script does. */
async function plainFetch(url: string, { method = 'GET', headers, body }: RequestInit): Promise<Response> {
  const sent = new Headers(headers)
  if (body instanceof URLSearchParams) sent.set('content-type', 'application/x-www-form-urlencoded')
  const answer = await request(url, {
    method: method as 'GET', // undici types the well-known methods only
    headers: Object.fromEntries(sent),
    ...(body === undefined || body === null ? {} : { body: String(body) }),
  })
  const received = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => [name, one] as [string, string]),
  )
  const content = await answer.body.arrayBuffer()
  return new Response(content.byteLength === 0 ? null : content, { status: answer.statusCode, headers: received })
}
