/** By lower-case name. */
type Headers = Readonly<Record<string, string | undefined>>

interface RequestOrigin {
  readonly headers: Headers
  readonly host: string
}

/** Whether an item of `Accept` is exactly `application/json` (oauth2-proxy oauthproxy.go `isAjax`). */
export function wantsJson(accept: string | undefined): boolean {
  return accept?.split(',').some((item) => item.trim() === 'application/json') ?? false
}

/**
 * Whether no person is looking at the answer: XHR, fetch, frames, sub-resources, prefetches, WebSockets, gRPC. Sending
 * those to a login page breaks the app and piles up login cookies (oauth2-proxy issues 1522, 2292, 2481).
 */
export function isBackgroundRequest(headers: Headers): boolean {
  return isNoNavigation(headers) || isProgram(headers) || !takesPages(headers['accept'])
}

/** By the browser's word (Fetch Metadata, Speculation Rules). */
function isNoNavigation(headers: Headers): boolean {
  const mode = headers['sec-fetch-mode']
  const destination = headers['sec-fetch-dest']
  const purpose = headers['sec-purpose'] ?? headers['purpose'] ?? ''
  return (
    (mode !== undefined && mode !== 'navigate') ||
    (destination !== undefined && destination !== 'document') ||
    purpose.startsWith('prefetch')
  )
}

/** By what only scripts and programs send. */
function isProgram(headers: Headers): boolean {
  return (
    headers['x-requested-with']?.toLowerCase() === 'xmlhttprequest' ||
    headers['upgrade']?.toLowerCase().includes('websocket') === true ||
    headers['sec-websocket-key'] !== undefined || // a server in front keeps `Upgrade` to itself
    /^application\/(?:grpc|json)/i.test(headers['content-type'] ?? '')
  )
}

/** Whether a page is welcome; it is to who does not say, such as an ext_authz client that drops `Accept`. */
function takesPages(accept: string | undefined): boolean {
  return !accept || /(?:text\/(?:html|\*)|application\/xhtml\+xml|\*\/\*)/i.test(accept)
}

/** Whether a form was posted by another site: by the browser's word, else by `Origin`; others are no browsers. */
export function isForeignPost({ headers, host }: RequestOrigin): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = headers['origin']
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}

/** Whether a browser says another site caused this request. */
export function isCrossSite(headers: Headers): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}
