interface RequestOrigin {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly host: string
}

/** Whether an item of `Accept` is exactly `application/json` (oauth2-proxy oauthproxy.go `isAjax`). */
export function wantsJson(accept: string | undefined): boolean {
  return accept?.split(',').some((item) => item.trim() === 'application/json') ?? false
}

/**
 * Whether no person is looking at the answer: XHR, fetch, frames, sub-resources, WebSockets, gRPC. Sending those to a
 * login page breaks the app and piles up login cookies (oauth2-proxy issues 1522, 2292, 2481).
 */
export function isBackgroundRequest(headers: Readonly<Record<string, string | undefined>>): boolean {
  const mode = headers['sec-fetch-mode']
  const destination = headers['sec-fetch-dest']
  return (
    (mode !== undefined && mode !== 'navigate') ||
    (destination !== undefined && destination !== 'document') ||
    headers['x-requested-with']?.toLowerCase() === 'xmlhttprequest' ||
    headers['upgrade']?.toLowerCase() === 'websocket' ||
    (headers['content-type']?.startsWith('application/grpc') ?? false)
  )
}

/** Whether a form was posted by another site: by the browser's word, else by `Origin`; others are no browsers. */
export function isForeignPost({ headers, host }: RequestOrigin): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = headers['origin']
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host
}

/** Whether a browser says another site caused this request. */
export function isCrossSite(headers: Readonly<Record<string, string | undefined>>): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}
