import { html } from 'hono/html'
import type { Html } from '../http/views/html.ts'
import { page } from '../http/views/page.ts'
import { groupBadges, signedInAs } from '../http/views/person.ts'

/** What the echo app has seen of a request. */
export interface Echo {
  readonly method: string
  readonly path: string
  /** Without its `?`. */
  readonly query: string
  /** `kubeflow-userid`; `null` where it did not come. */
  readonly user: string | null
  /** `kubeflow-groups` split at `,`; as in Python, splitting nothing gives one empty text. */
  readonly groups: readonly string[]
  /** Every other header, secrets left out. */
  readonly headers: Readonly<Record<string, string>>
  /** Headers that carry secrets: their lengths in characters. */
  readonly secrets: Readonly<Record<string, number>>
}

/** The echo app's only page. */
export function echoPage(echo: Echo, { basePath, assetsPath }: { basePath: string; assetsPath: string }): Html {
  const { method, path, query, user } = echo
  const body = html`<div class="hero">
<h1>What this app received</h1>
<p class="muted">Nothing here asks you to sign in: the gateway did, and told the app who you are.</p>
</div>
<div class="columns">
<section class="card" aria-labelledby="identity">
<h2 id="identity">Identity</h2>
<dl class="facts">
<dt><code>kubeflow-userid</code></dt><dd id="user">${user ?? html`<span class="muted">did not come</span>`}</dd>
<dt><code>kubeflow-groups</code></dt><dd id="groups">${groupBadges(echo.groups.filter((group) => group !== ''))}</dd>
</dl>
</section>
<section class="card" aria-labelledby="request">
<h2 id="request">Request</h2>
<dl class="facts">
<dt>Method</dt><dd id="method">${method}</dd>
<dt>Path</dt><dd><code id="path">${path}</code></dd>
<dt>Query</dt><dd>${query === '' ? html`<span class="muted">none</span>` : html`<code id="query">${query}</code>`}</dd>
</dl>
</section>
</div>
<section class="section" aria-labelledby="headers">
<h2 id="headers">All headers</h2>
<p class="muted">Secrets are shown by their length only. <a href="?${asJson(query)}">See it as JSON</a></p>
<div class="table-scroll" tabindex="0" role="region" aria-labelledby="headers">${headerTable(echo)}</div>
</section>
<section class="section" aria-labelledby="code">
<h2 id="code">How an app reads them</h2>
<pre class="code-block">user_email = request.headers.get('kubeflow-userid')
user_groups = request.headers.get('kubeflow-groups', '').split(',')</pre>
</section>`
  const allApps = html`<a class="button secondary" href="/">All apps</a>`
  const topbar = user === null ? allApps : signedInAs(user, allApps)
  return page({ title: 'Echo', brandName: 'Echo', brandHref: `${basePath}/`, width: 'wide', assetsPath, topbar, body })
}

function headerTable({ headers, secrets }: Echo): Html {
  const rows = [
    ...Object.entries(headers).map(([name, value]) => [name, html`${value}`] as const),
    ...Object.entries(secrets).map(
      ([name, length]) => [name, html`<span class="muted">hidden, ${length} characters</span>`] as const,
    ),
  ].sort(([a], [b]) => (a < b ? -1 : 1))
  return html`<table class="table">
<thead><tr><th scope="col">Header</th><th scope="col">Value</th></tr></thead>
<tbody>${rows.map(([name, value]) => html`<tr><th scope="row"><code>${name}</code></th><td>${value}</td></tr>`)}</tbody>
</table>`
}

function asJson(query: string): string {
  return query === '' ? 'format=json' : `${query}&format=json`
}
