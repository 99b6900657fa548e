import { assetResponse } from '../../http/views/assets.ts'
import { answerOfResponse } from '../answers.ts'
import { type ProxyCore, queryOf } from '../core.ts'
import { homePage } from '../pages/notice-pages.ts'
import type { Endpoint } from './endpoint.ts'
import { signedOutHere } from './signed-out.ts'

/** oidc-authservice's pages under `PREFIX/site`, in a look of our own. */
const pages: Readonly<Record<string, Endpoint>> = {
  '/homepage': (_, core) => answerOfPage(homePage(homeOf(core))),
  '/after_logout': ({ request }, core) => signedOutHere(core, queryOf(request.path)),
}

/** Files of the original's themes, and ours for them. */
const themeFiles: Readonly<Record<string, string>> = { 'styles.css': 'gatehouse.css', 'logo.svg': 'gatehouse.svg' }

/** The endpoint of a page below `PREFIX/site`. */
export function siteEndpoint(name: string): Endpoint | undefined {
  const [, file = ''] = /^\/themes\/[\w.-]+\/([\w.]+)$/.exec(name) ?? []
  const asset = Object.hasOwn(themeFiles, file) ? themeFiles[file] : undefined
  if (asset !== undefined) return () => answerOfResponse(assetResponse(asset))
  return Object.hasOwn(pages, name) ? pages[name] : undefined
}

async function answerOfPage(page: Promise<Response>) {
  return answerOfResponse(await page)
}

function homeOf({ config, assetsPath }: ProxyCore) {
  const { afterLoginUrl = '', clientName = '' } = config.authservice ?? {}
  return { name: clientName, target: afterLoginUrl || '/', startPath: `${config.proxy_prefix}/start`, assetsPath }
}
