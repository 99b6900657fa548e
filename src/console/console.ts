/**
 * Room `console`: the portal at `/` and the platform's own pages under `/gatehouse/`. It believes the identity headers,
 * because only the gateway can set them; it decides nothing about who may open what, it only shows.
 */
import { Hono } from 'hono'
import { headerText } from '../http/header-text.ts'
import type { Part, RequestContext } from '../http/part.ts'
import { assetResponse } from '../http/views/assets.ts'
import { errorPage } from '../http/views/error-page.ts'
import { pageResponse } from '../http/views/page.ts'
import type { Log } from '../kit/log.ts'
import { type PortalApp, portalPage } from './portal-page.ts'
import { signedOutPage, signInPage } from './sign-pages.ts'

export type { PortalApp } from './portal-page.ts'

/** What the console is opened with. */
export interface ConsoleOptions {
  /** The platform's address, as people type it. */
  readonly publicUrl: string
  /** Where the console's own pages are (`/gatehouse`), no trailing slash. */
  readonly basePath: string
  readonly apps: readonly PortalApp[]
  /** The proxy's `/oauth2/sign_out`. */
  readonly signOutPath: string
  /** The proxy's `/oauth2/tokens`, where there is one. */
  readonly tokensPath?: string
  /** Where a visitor without a session signs in. Default: the proxy's start page, back to the portal. */
  readonly signInPath?: string
  /** The platform's name. */
  readonly brandName?: string
  readonly log: Log
}

/** Opens the portal and the platform's own pages. */
export function openConsole(options: ConsoleOptions): Part {
  const { basePath, log, signInPath = '/oauth2/start?rd=%2F', brandName = 'Gatehouse' } = options
  const assetsPath = `${basePath}/static`
  const app = new Hono<{ Bindings: Partial<RequestContext> }>()

  app.get('/', (c) => {
    const user = headerText(c.req.raw.headers, 'kubeflow-userid')
    if (!user) return pageResponse(signInPage({ signInPath, assetsPath, brandName }), { status: 403 })
    const groups = splitGroups(headerText(c.req.raw.headers, 'kubeflow-groups'))
    const apps = options.apps.filter((one) => !one.groups || one.groups.some((group) => groups.includes(group)))
    return pageResponse(portalPage({ ...options, user, groups, apps, assetsPath, brandName }))
  })
  app.get(`${basePath}/signed-out`, () => pageResponse(signedOutPage({ assetsPath, brandName })))
  app.get(`${basePath}/static/:file`, (c) => assetResponse(c.req.param('file'), c.req.raw))

  app.notFound((c) =>
    pageResponse(
      errorPage({
        title: 'Page not found',
        message: 'There is nothing at this address.',
        advice: 'It may have been mistyped, or the app behind it is not part of this platform.',
        action: { href: '/', text: 'Go to your apps' },
        requestId: c.env?.requestId,
        assetsPath,
        brandName,
      }),
      { status: 404 },
    ),
  )
  app.onError((error, c) => {
    log.error('page failed', { error, requestId: c.env?.requestId })
    return pageResponse(
      errorPage({
        title: 'Something went wrong',
        message: 'The page could not be shown.',
        advice: 'Try again in a moment. If it stays, tell your administrator the request number below.',
        requestId: c.env?.requestId,
        assetsPath,
        brandName,
      }),
      { status: 500 },
    )
  })
  return { fetch: (request, context) => app.fetch(request, context) }
}

function splitGroups(text = ''): string[] {
  return text
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
}
