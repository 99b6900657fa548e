import { html } from 'hono/html'
import { alert } from '../../http/views/alert.ts'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** What the password page shows. The names and ids of its form are Dex's: scripts of the field rely on them. */
export interface PasswordPageProps extends Look {
  /** The URL the form is sent to: the page's own, with its `state`. */
  readonly action: string
  /** What the name is called: `Email Address`. */
  readonly prompt: string
  readonly username: string
  readonly error?: string | undefined
  /** Back to the choice of connectors, where there is one. */
  readonly backHref?: string | undefined
  readonly clientName: string | undefined
}

/** Asks for a name and a password. */
export function passwordPage(props: PasswordPageProps): Html {
  const { action, prompt, username, error, backHref, clientName, ...look } = props
  const invalid = error === undefined ? '' : html` aria-invalid="true" aria-describedby="login-error"`
  const startsAtName = username === ''
  const body = html`<section class="card">
<h1>Sign in</h1>
${clientName === undefined ? '' : html`<p class="muted">to continue to ${clientName}</p>`}
${error === undefined ? '' : html`<div id="login-error">${alert(error)}</div>`}
<form class="form" method="post" action="${action}">
<label class="field"><span>${prompt}</span>
<input id="login" name="login" type="text" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" required${startsAtName ? html` autofocus` : ''}${invalid}></label>
<label class="field"><span>Password</span>
<input id="password" name="password" type="password" autocomplete="current-password" required${startsAtName ? '' : html` autofocus`}${invalid}></label>
<button class="button" id="submit-login" type="submit">Sign in</button>
</form>
${backHref === undefined ? '' : html`<p class="card-foot"><a href="${backHref}">Sign in another way</a></p>`}
</section>`
  return page({ title: 'Sign in', body, ...look, script: true })
}
