import { html } from 'hono/html'
import { alert } from '../../http/views/alert.ts'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** Asks for a new password twice; names and ids as Keycloak's form has them. */
export function updatePasswordPage({
  action,
  username,
  error,
  ...look
}: Look & { action: string; username: string; error?: string }): Html {
  const invalid = error === undefined ? '' : html` aria-invalid="true" aria-describedby="input-error"`
  const body = html`<section class="card">
<h1 id="kc-page-title">Update password</h1>
<p class="muted">You need to change your password to activate your account.</p>
<div aria-live="polite">${error === undefined ? '' : html`<div id="input-error">${alert(error)}</div>`}</div>
<form class="form" id="kc-passwd-update-form" method="post" action="${action}">
<input type="text" name="username" value="${username}" autocomplete="username" readonly hidden>
<label class="field"><span>New password</span>
<input id="password-new" name="password-new" type="password" autocomplete="new-password" required autofocus${invalid}></label>
<label class="field"><span>Confirm password</span>
<input id="password-confirm" name="password-confirm" type="password" autocomplete="new-password" required${invalid}></label>
<button class="button" type="submit">Submit</button>
</form>
</section>`
  return page({ ...look, title: 'Update password', body, script: true })
}
