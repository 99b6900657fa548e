import { html } from 'hono/html'
import { errorPage } from '../../http/views/error-page.ts'
import { page, pageResponse } from '../../http/views/page.ts'

/** The end of a sign-out. */
export function signedOutPage({
  startPath,
  target,
  assetsPath,
  endedAtProvider,
}: {
  startPath: string
  target: string
  assetsPath: string
  /** Whether the provider's own session has been ended, too. */
  endedAtProvider: boolean
}): Promise<Response> {
  const body = html`<section class="card">
<span class="emblem success" aria-hidden="true"></span>
<h1>You are signed out</h1>
${
  endedAtProvider
    ? html`<p class="muted">Your session has ended, here and at the sign-in provider. An app may keep a session of its own:
on a shared computer, close the browser as well.</p>`
    : html`<p class="muted">Your session here has ended. The sign-in provider offers no way to end its own session from
here, so signing in again may not ask for your password; close the browser on a shared computer.</p>`
}
<form class="form" method="get" action="${startPath}">
<input type="hidden" name="rd" value="${target}">
<button type="submit" class="button">Sign in again</button>
</form>
</section>`
  return pageResponse(page({ title: 'Signed out', assetsPath, body }))
}

/** Asks before a sign-out another site has caused. */
export function confirmSignOutPage({
  signOutPath,
  assetsPath,
}: {
  signOutPath: string
  assetsPath: string
}): Promise<Response> {
  const body = html`<section class="card">
<h1>Sign out?</h1>
<p class="muted">Another site asked to sign you out.</p>
<form class="form" method="post" action="${signOutPath}">
<p class="actions"><button type="submit" class="button">Sign out</button>
<a class="button secondary" href="/">Stay signed in</a></p>
</form>
</section>`
  return pageResponse(page({ title: 'Sign out', assetsPath, body }))
}

/** Signed in, but not allowed in here. */
export function deniedPage({
  who,
  why,
  reason = '',
  signOutPath,
  assetsPath,
  requestId,
}: {
  /** The account as the user knows it. */
  who: string
  why?: 'email' | 'group' | undefined
  /** What somebody else says. */
  reason?: string
  signOutPath: string
  assetsPath: string
  requestId: string
}): Promise<Response> {
  const markup = errorPage({
    title: 'You may not open this page',
    message:
      who === ''
        ? 'This account is not allowed here.'
        : `You are signed in as ${who}, which is not allowed here.${reasonOf(why)}${reason && ` The reason given: ${reason}`}`,
    advice: 'Ask an administrator for access, or sign in with another account.',
    action: { href: signOutPath, text: 'Use another account' },
    requestId: requestId || undefined,
    assetsPath,
  })
  return pageResponse(markup, { status: 403 })
}

function reasonOf(why: 'email' | 'group' | undefined): string {
  if (why === 'group') return ' None of its groups is allowed.'
  return why === 'email' ? ' Its e-mail address is not on the list.' : ''
}

/** A login that went wrong, with a way to try again. */
export function loginErrorPage({
  status,
  message,
  advice,
  action,
  assetsPath,
  requestId,
}: {
  status: number
  message: string
  advice: string
  action: { readonly href: string; readonly text: string }
  assetsPath: string
  requestId: string
}): Promise<Response> {
  const markup = errorPage({
    title: 'Sign-in did not succeed',
    message,
    advice,
    action,
    requestId: requestId || undefined,
    assetsPath,
  })
  return pageResponse(markup, { status })
}

/** The front page of oidc-authservice's stand-in. */
export function homePage({
  name,
  target,
  startPath,
  assetsPath,
}: {
  /** Of the platform. */
  name: string
  target: string
  startPath: string
  assetsPath: string
}): Promise<Response> {
  const body = html`<section class="card">
<h1>${name}</h1>
<p class="muted">Sign in to open the apps of this platform.</p>
<form class="form" method="get" action="${startPath}">
<input type="hidden" name="rd" value="${target}">
<button type="submit" class="button">Sign in</button>
</form>
</section>`
  return pageResponse(page({ title: name, assetsPath, body }))
}
