import { html } from 'hono/html'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** A form that carries an authorization response to the client; `page.js` submits it, without scripts a button does. */
export function formPostPage({
  redirectUri,
  parameters,
  ...look
}: Look & { redirectUri: string; parameters: Readonly<Record<string, string | undefined>> }): Html {
  const fields = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${value}">`],
  )
  const body = html`<section class="card">
<h1>Signing in</h1>
<form class="form" method="post" action="${redirectUri}" data-submit="now">
${fields}
<p class="muted">If nothing happens, continue by hand.</p>
<button class="button" type="submit">Continue</button>
</form>
</section>`
  return page({ ...look, title: 'Signing in', body, script: true })
}
