import { html } from 'hono/html'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** The ways to sign in, for the visitor to choose from. */
export function connectorPage({
  choices,
  clientName,
  ...look
}: Look & {
  readonly choices: readonly { readonly name: string; readonly href: string }[]
  readonly clientName: string | undefined
}): Html {
  const body = html`<section class="card">
<h1>How would you like to sign in?</h1>
${clientName === undefined ? '' : html`<p class="muted">to continue to ${clientName}</p>`}
<ul class="choices">
${choices.map(({ name, href }) => html`<li><a class="choice" href="${href}">${name}</a></li>`)}
</ul>
</section>`
  return page({ title: 'Sign in', body, ...look })
}
