import { html } from 'hono/html'
import { errorPage } from '../../http/views/error-page.ts'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** What went wrong, in Keycloak's words, with the id an operator finds it by. */
export function problemPage(props: Look & { message: string; advice?: string; requestId: string }): Html {
  return errorPage({ title: 'We are sorry...', ...props })
}

/** The user has been signed out. */
export function loggedOutPage(look: Look): Html {
  const body = html`<section class="card">
<h1 id="kc-page-title">You are logged out</h1>
<p class="muted" role="status">You have been signed out of your session. You can close this window.</p>
</section>`
  return page({ ...look, title: 'You are logged out', body })
}

/** Asks whether the user means to sign out: somebody else could have sent them here. */
export function confirmLogoutPage({
  action,
  sessionCode,
  ...look
}: Look & { action: string; sessionCode: string }): Html {
  const body = html`<section class="card">
<h1 id="kc-page-title">Logging out</h1>
<p class="instruction">Do you want to log out?</p>
<form class="form" id="kc-logout-confirm" method="post" action="${action}">
<input type="hidden" name="session_code" value="${sessionCode}">
<button class="button" type="submit" id="kc-logout" name="confirmLogout" value="Logout">Log out</button>
</form>
</section>`
  return page({ ...look, title: 'Logging out', body, script: true })
}
