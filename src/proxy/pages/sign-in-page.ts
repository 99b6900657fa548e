import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { html, raw } from 'hono/html'
import { type Html, page, pageResponse } from '../../http/views/page.ts'
import type { ProxyConfig } from '../config.ts'

/** What the sign-in page shows, settled when the proxy opens. */
export interface SignInLook {
  readonly providerName: string
  /** Source of an image. */
  readonly logo: string | undefined
  /** Trusted markup from the configuration. */
  readonly banner: string
  readonly footer: string
}

const providerNames: Readonly<Record<string, string>> = { 'keycloak-oidc': 'Keycloak', oidc: 'OpenID Connect' }
const imageTypes: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
}

/** Reads the look. A logo file that is not there is left out: Kubeflow's names one inside the original's image. */
export function signInLook(config: ProxyConfig): SignInLook {
  const shown = (text: string) => (text === '-' ? '' : text)
  return {
    providerName: config.provider_display_name || (providerNames[config.provider] ?? config.provider),
    logo: logoSource(shown(config.custom_sign_in_logo)),
    banner: shown(config.banner),
    footer: shown(config.footer),
  }
}

function logoSource(logo: string): string | undefined {
  if (logo === '' || logo.startsWith('https://')) return logo || undefined
  const type = imageTypes[extname(logo).toLowerCase()]
  if (type === undefined || !existsSync(logo)) return undefined
  return `data:${type};base64,${readFileSync(logo).toString('base64')}`
}

/** The page with the button that starts a login; `target` is where it leads afterwards. */
export function signInPage({
  look,
  startPath,
  target,
  assetsPath,
  status,
}: {
  look: SignInLook
  startPath: string
  target: string
  assetsPath: string
  status: number
}): Promise<Response> {
  const body: Html = html`<section class="card">
${look.logo === undefined ? '' : html`<p class="brand"><img src="${look.logo}" alt="" height="48"></p>`}
<h1>Sign in</h1>
${look.banner === '' ? html`<p class="muted">You need to sign in to go on.</p>` : html`<div class="muted">${raw(look.banner)}</div>`}
<form class="form" method="get" action="${startPath}">
<input type="hidden" name="rd" value="${target}">
<button type="submit" class="button">Sign in with ${look.providerName}</button>
</form>
${look.footer === '' ? '' : html`<div class="muted small">${raw(look.footer)}</div>`}
</section>`
  return pageResponse(page({ title: 'Sign in', assetsPath, body }), { status })
}
