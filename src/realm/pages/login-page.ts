import { html } from 'hono/html'
import { alert } from '../../http/views/alert.ts'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** What the login page shows. Names and ids of its form are those scripts written for Keycloak rely on. */
export interface LoginPageProps extends Look {
  /** The application the user is signing in to. */
  readonly clientName: string
  readonly action: string
  readonly username: string
  readonly canRemember: boolean
  readonly isRemembered: boolean
  readonly canUseEmail: boolean
  /** What went wrong the last time. */
  readonly error?: string
  /** Something to know that is not the user's fault. */
  readonly notice?: string
}

/** The page that asks for user name and password. */
export function loginPage(props: LoginPageProps): Html {
  const { brandName, clientName, action, error, notice, assetsPath } = props
  const body = html`<section class="card">
<h1 id="kc-page-title">Sign in to your account</h1>
<p class="muted">to continue to ${clientName}</p>
<div aria-live="polite">
${notice === undefined ? '' : alert(notice, 'notice')}
${error === undefined ? '' : html`<div id="input-error">${alert(error)}</div>`}
</div>
<form class="form" id="kc-form-login" method="post" action="${action}">
${fields(props)}
<input type="hidden" id="id-hidden-input" name="credentialId" value="">
<button class="button" type="submit" id="kc-login" name="login" value="Sign In">Sign in</button>
</form>
</section>`
  return page({ title: 'Sign in', brandName, assetsPath, body, script: true })
}

function fields({ username, canRemember, isRemembered, canUseEmail, error }: LoginPageProps): Html {
  const invalid = error === undefined ? '' : html` aria-invalid="true" aria-describedby="input-error"`
  const startsAtName = username === ''
  return html`<label class="field"><span>${canUseEmail ? 'Username or email' : 'Username'}</span>
<input id="username" name="username" type="text" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" required${startsAtName ? html` autofocus` : ''}${invalid}></label>
<label class="field"><span>Password</span>
<input id="password" name="password" type="password" value="" autocomplete="current-password" required${startsAtName ? '' : html` autofocus`}${invalid}></label>
${canRemember ? html`<label class="check"><input id="rememberMe" name="rememberMe" type="checkbox"${isRemembered ? html` checked` : ''}><span>Remember me</span></label>` : ''}`
}
