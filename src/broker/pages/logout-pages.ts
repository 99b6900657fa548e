import { html } from 'hono/html'
import { alert } from '../../http/views/alert.ts'
import { hiddenFields } from '../../http/views/field.ts'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** Asks before signing out: nobody can tell whether this person or some other site wants it. */
export function confirmLogoutPage({
  action,
  confirmation,
  clientName,
  ...look
}: Look & { readonly action: string; readonly confirmation: string; readonly clientName: string | undefined }): Html {
  const body = html`<section class="card">
<h1>Do you want to sign out?</h1>
<p class="muted">${clientName === undefined ? 'Every application' : `${clientName}, and every other application`} you signed in to from this browser will ask you again.</p>
<form class="form" method="post" action="${action}">
${hiddenFields({ confirm: confirmation })}
<button class="button" type="submit">Sign out</button>
</form>
</section>`
  return page({ title: 'Sign out', body, ...look })
}

/** Where a sign-out ends. `unreached` names an identity provider that could not be told. */
export function signedOutPage({ unreached, ...look }: Look & { readonly unreached?: string | undefined }): Html {
  const body = html`<section class="card">
${unreached === undefined ? html`<span class="emblem success" aria-hidden="true"></span>` : ''}
<h1>You are signed out</h1>
${
  unreached === undefined
    ? html`<p class="muted">Your session has ended. On a shared computer, close the browser as well.</p>`
    : alert(
        `${unreached} could not be reached, so you may still be signed in there. Close the browser to be safe.`,
        'notice',
      )
}
</section>`
  return page({ title: 'Signed out', body, ...look })
}
