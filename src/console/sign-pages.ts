import { html } from 'hono/html'
import type { Html } from '../http/views/html.ts'
import { page } from '../http/views/page.ts'

interface Look {
  readonly assetsPath: string
  readonly brandName: string
}

/** For a visitor the gateway does not know: the way to sign in, and nothing else. */
export function signInPage({ signInPath, ...look }: Look & { readonly signInPath: string }): Html {
  const body = html`<section class="card">
<h1>Sign in to continue</h1>
<p class="muted">Your apps are shown once we know who you are.</p>
<p class="actions"><a class="button" href="${signInPath}">Sign in</a></p>
</section>`
  return page({ title: 'Sign in', body, ...look })
}

/** Where signing out ends. */
export function signedOutPage(look: Look): Html {
  const body = html`<section class="card">
<span class="emblem success" aria-hidden="true"></span>
<h1>You are signed out</h1>
<p class="muted">Your session has ended. On a shared computer, close the browser as well.</p>
<p class="actions"><a class="button" href="/">Sign in again</a></p>
</section>`
  return page({ title: 'Signed out', body, ...look })
}
