import { html } from 'hono/html'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** The code of a client that cannot take a redirect, to be copied by hand (`urn:ietf:wg:oauth:2.0:oob`). */
export function codePage({ code, clientName, ...look }: Look & { readonly code: string; clientName: string }): Html {
  const body = html`<section class="card">
<h1>Sign-in successful</h1>
<p class="muted">Copy this code and paste it into ${clientName}. It works once, for half an hour.</p>
<p><input type="text" class="theme-form-input" value="${code}" aria-label="Code" readonly autofocus></p>
</section>`
  return page({ title: 'Sign-in successful', body, ...look })
}
