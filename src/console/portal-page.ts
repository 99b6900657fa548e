import { html } from 'hono/html'
import type { Html } from '../http/views/html.ts'
import { page } from '../http/views/page.ts'
import { groupBadges, initialOf, signedInAs } from '../http/views/person.ts'

/** An app of the portal. */
export interface PortalApp {
  readonly name: string
  /** One sentence. */
  readonly description: string
  readonly href: string
  /** Shown only to members of one of these; absent: to everyone. Without leading slash. */
  readonly groups?: readonly string[]
  /** The letter on its tile. Default: the name's first. */
  readonly initial?: string
  readonly kind: AppKind
}

/** How an app learns who you are: from the gateway's headers, by OpenID Connect, or by some sign-in of its own. */
export type AppKind = 'headers' | 'oidc' | 'own'

const badges: Readonly<Record<AppKind, string>> = {
  headers: 'Identity headers',
  oidc: 'OpenID Connect',
  own: 'Own sign-in',
}

/** What the portal shows. */
export interface PortalPageProps {
  readonly user: string
  readonly groups: readonly string[]
  /** The apps this user may open. */
  readonly apps: readonly PortalApp[]
  readonly publicUrl: string
  readonly signOutPath: string
  /** Where people make tokens for their scripts; absent where the chain has none. */
  readonly tokensPath?: string
  readonly assetsPath: string
  readonly brandName: string
}

/** The platform's front page: the apps, who you are, and how apps see you. */
export function portalPage(props: PortalPageProps): Html {
  const { user, groups, apps, publicUrl, signOutPath, tokensPath, assetsPath, brandName } = props
  const body = html`<div class="hero">
<h1>Hello, ${user.split('@')[0]}</h1>
<p class="muted">These are your apps on ${new URL(publicUrl).host}. One sign-in opens them all.</p>
</div>
${apps.length === 0 ? noApps : html`<ul class="app-grid" aria-label="Apps">${apps.map(appCard)}</ul>`}
<section class="section columns" aria-label="About you">
<div class="card">
<h2>You</h2>
<dl class="facts"><dt>User</dt><dd>${user}</dd><dt>Groups</dt><dd>${groupBadges(groups)}</dd></dl>
${
  tokensPath === undefined
    ? ''
    : html`<p class="muted">For scripts and terminals: <a href="${tokensPath}">personal access tokens</a>.</p>`
}
</div>
<div class="card">
<h2>How apps see you</h2>
<p class="muted">The gateway adds two headers to each of your requests. No one else can set them.</p>
<pre class="code-block">kubeflow-userid: ${user}
kubeflow-groups: ${groups.join(',')}</pre>
</div>
</section>`
  const topbar = signedInAs(user, html`<a class="button secondary" href="${signOutPath}">Sign out</a>`)
  return page({ title: 'Your apps', width: 'wide', assetsPath, brandName, brandHref: '/', topbar, body })
}

const noApps = html`<div class="card">
<h2>No apps yet</h2>
<p class="muted">None of this platform’s apps is open to your groups. Ask your administrator for access, then sign in again.</p>
</div>`

function appCard({ name, description, href, initial, kind }: PortalApp): Html {
  return html`<li><article class="app-card">
<span class="icon" aria-hidden="true">${initial ?? initialOf(name)}</span>
<h2><a href="${href}">${name}</a></h2>
<p class="muted">${description}</p>
<span class="badge">${badges[kind]}</span>
</article></li>`
}
