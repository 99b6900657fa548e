import { html, raw } from 'hono/html'
import { alert } from '../../http/views/alert.ts'
import { field, hiddenFields } from '../../http/views/field.ts'
import { type Html, page, pageResponse } from '../../http/views/page.ts'
import type { SignInLook } from './sign-in-look.ts'

/** Why the page is shown again. */
export type SignInFault = 'no-username' | 'wrong-password' | 'wait' | 'foreign' | 'unknown-provider'

const faults: Readonly<Record<SignInFault, string>> = {
  'no-username': 'Enter your user name and password.',
  'wrong-password': 'User name or password is wrong.',
  wait: 'Too many attempts. Wait a moment, then try again.',
  foreign: 'Another site sent this form. Enter your password here to sign in.',
  'unknown-provider': 'That way to sign in does not exist here. Choose one of these.',
}

/** What the page is made from. */
export interface SignInPageProps {
  readonly look: SignInLook
  readonly startPath: string
  readonly signInPath: string
  /** Where a login leads. */
  readonly target: string
  readonly assetsPath: string
  readonly status: number
  readonly fault?: SignInFault | undefined
  /** What was typed before. */
  readonly username?: string | undefined
}

/** The page with a button for each provider and, where there is a password file, a form. */
export function signInPage(props: SignInPageProps): Promise<Response> {
  const { look, assetsPath, status, fault } = props
  const body: Html = html`<section class="card">
${look.logo === undefined ? '' : html`<p class="brand"><img src="${look.logo}" alt="" height="48"></p>`}
<h1>Sign in</h1>
${look.banner === '' ? html`<p class="muted">You need to sign in to go on.</p>` : html`<div class="muted">${raw(look.banner)}</div>`}
${fault === undefined ? '' : alert(faults[fault])}
${look.hasPasswordForm ? passwordForm(props) : ''}
${look.hasPasswordForm && look.providers.length > 0 ? html`<p class="or"><span>or</span></p>` : ''}
${providerForm(props)}
${look.footer === '' ? '' : html`<div class="muted small">${raw(look.footer)}</div>`}
</section>`
  return pageResponse(page({ title: 'Sign in', assetsPath, body, script: true }), { status })
}

/** One form for all: the button that is pressed names the provider, where there is a choice. */
function providerForm({ look: { providers, hasPasswordForm }, startPath, target }: SignInPageProps): Html {
  const isOnly = providers.length === 1
  const style = hasPasswordForm ? 'button secondary' : 'button'
  const buttons = providers.map(({ id, name }) =>
    isOnly
      ? html`<button type="submit" class="${style}">Sign in with ${name}</button>`
      : html`<button type="submit" class="choice" name="provider" value="${id}">Sign in with ${name}</button>`,
  )
  return html`<form class="${isOnly ? 'form' : 'choices'}" method="get" action="${startPath}" data-keep-hash>
<input type="hidden" name="rd" value="${target}">
${buttons}
</form>`
}

function passwordForm({ signInPath, target, username = '', fault }: SignInPageProps): Html {
  const isAgain = fault !== undefined && fault !== 'unknown-provider'
  const [user, password] = [isAgain && username === '', isAgain && username !== ''].map((isFocused) => ({ isFocused }))
  return html`<form class="form" method="post" action="${signInPath}" data-keep-hash>
${hiddenFields({ rd: target })}
${field({ label: 'User name', name: 'username', value: username, autocomplete: 'username', isRequired: true, ...user })}
${field({ label: 'Password', name: 'password', type: 'password', autocomplete: 'current-password', isRequired: true, ...password })}
<button type="submit" class="button">Sign in</button>
</form>`
}
