import { html } from 'hono/html'
import { alert } from '../../http/views/alert.ts'
import { errorPage } from '../../http/views/error-page.ts'
import { field } from '../../http/views/field.ts'
import type { Html } from '../../http/views/html.ts'
import { page, pageResponse } from '../../http/views/page.ts'
import { signedInAs } from '../../http/views/person.ts'
import { withCode } from '../../http/views/with-code.ts'
import type { AccessToken } from '../access-tokens/access-token.ts'
import type { DeviceAnswer, DeviceRequest } from '../access-tokens/device-logins.ts'

/** A form that asked for a token in a way that does not do. */
export interface RefusedWish {
  readonly form: URLSearchParams
  readonly problem: string
}

/** A user's tokens, and the form for another one. */
export function accessTokensPage({
  who,
  tokens,
  now,
  tokensPath,
  assetsPath,
  refused,
}: {
  who: string
  tokens: readonly AccessToken[]
  /** Milliseconds since the epoch. */
  now: number
  tokensPath: string
  assetsPath: string
  /** What was sent, and what was wrong with it. */
  refused?: RefusedWish | undefined
}): Promise<Response> {
  const sent = refused?.form ?? new URLSearchParams()
  const body = html`<div class="hero">
<h1>Personal access tokens</h1>
<p class="muted">For scripts and command lines: a token acts as you, with your groups of the moment, on the paths you choose.
It ends when you revoke it, when its time is over, or when your account does.</p>
</div>
<section class="section columns">
<div class="card">
<h2>Your tokens</h2>
${tokens.length === 0 ? html`<p class="muted">You have none.</p>` : tokens.map((token) => tokenRow(token, { now, tokensPath }))}
</div>
<div class="card">
<h2>New token</h2>
${refused ? alert(withCode(refused.problem)) : ''}
<form class="form" method="post" action="${tokensPath}">
${field({ label: 'Name', name: 'label', value: sent.get('label') ?? '', isRequired: true, maxLength: 80, hint: 'What it is for: you will know it by this.' })}
${field({ label: 'Paths it may use', name: 'path', value: sent.getAll('path').join(' '), hint: 'Such as /pipeline, /notebook/ada. Leave empty for all.' })}
<label class="field"><span>Days until it ends</span><input name="days" type="number" min="1" max="366" value="${sent.get('days') || '30'}"></label>
<button type="submit" class="button">Create token</button>
</form>
</div>
</section>`
  const markup = page({
    title: 'Access tokens',
    width: 'wide',
    assetsPath,
    topbar: signedInAs(who, html``),
    brandHref: '/',
    body,
  })
  return pageResponse(markup, refused ? { status: 400 } : {})
}

function tokenRow(token: AccessToken, { now, tokensPath }: { now: number; tokensPath: string }): Html {
  const { id, label, paths, expiresAt, usedAt } = token
  const days = Math.ceil((expiresAt - now) / 86_400_000)
  return html`<form class="form" method="post" action="${tokensPath}">
<dl class="facts"><dt>Name</dt><dd>${label}</dd><dt>Paths</dt><dd>${pathList(paths)}</dd>
<dt>Ends</dt><dd>in ${days} ${days === 1 ? 'day' : 'days'}</dd><dt>Last used</dt><dd>${dayOf(usedAt)}</dd></dl>
<input type="hidden" name="revoke" value="${id}">
<button type="submit" class="button secondary">Revoke</button>
</form>`
}

function dayOf(time: number | undefined): string {
  return time === undefined ? 'never' : new Date(time).toISOString().slice(0, 10)
}

function pathList(paths: readonly string[]): Html {
  return paths.includes('/')
    ? html`everything`
    : html`${paths.map((path, at) => html`${at === 0 ? '' : ', '}<code>${path}</code>`)}`
}

/** The new token, the only time it is shown. */
export function newAccessTokenPage({
  text,
  token,
  cookieName,
  tokensPath,
  assetsPath,
}: {
  text: string
  token: AccessToken
  cookieName: string
  tokensPath: string
  assetsPath: string
}): Promise<Response> {
  const body = html`<section class="card">
<span class="emblem success" aria-hidden="true"></span>
<h1>Copy your token now</h1>
<p class="muted">It is shown this once. Whoever has it is you on ${pathList(token.paths)}: keep it like a password.</p>
<pre class="code-block">${text}</pre>
<p class="muted small">As a header: <code>Authorization: Bearer ${text.slice(0, 8)}…</code><br>
As a cookie, where a gateway asks only requests without that header: <code>${cookieName}=${text.slice(0, 8)}…</code></p>
<p class="actions"><a class="button" href="${tokensPath}">Done</a></p>
</section>`
  return pageResponse(page({ title: 'New access token', assetsPath, body }))
}

/** Asks whether a program may act as its user. */
export function devicePage({
  request,
  link,
  devicePath,
  assetsPath,
}: {
  request: DeviceRequest
  /** The text the link carried. */
  link: string
  devicePath: string
  assetsPath: string
}): Promise<Response> {
  const { wish, userCode } = request
  const body = html`<section class="card">
<h1>Let a program act as you?</h1>
<p class="muted">Go on only if you have just started this yourself, and your terminal shows the same code.</p>
<dl class="facts"><dt>Code</dt><dd><code>${userCode}</code></dd><dt>Name</dt><dd>${wish.label}</dd>
<dt>Paths</dt><dd>${pathList(wish.paths)}</dd><dt>For</dt><dd>${wish.lifetimeDays} ${wish.lifetimeDays === 1 ? 'day' : 'days'}</dd></dl>
<form class="form" method="post" action="${devicePath}">
<input type="hidden" name="request" value="${link}">
<p class="actions"><button type="submit" class="button" name="answer" value="allow">Sign in and allow</button>
<button type="submit" class="button secondary" name="answer" value="deny">Deny</button></p>
</form>
</section>`
  return pageResponse(page({ title: 'Allow a program', assetsPath, body }))
}

/** The end of a program's sign-in, in the browser. */
export function deviceDonePage({
  isAllowed,
  assetsPath,
}: {
  isAllowed: boolean
  assetsPath: string
}): Promise<Response> {
  const body = html`<section class="card">
${isAllowed ? html`<span class="emblem success" aria-hidden="true"></span>` : ''}
<h1>${isAllowed ? 'Go back to your terminal' : 'The program was refused'}</h1>
<p class="muted">${
    isAllowed
      ? html`The program there is signed in. You can close this page.`
      : html`It has learned nothing about you. You can close this page.`
  }</p>
</section>`
  return pageResponse(page({ title: isAllowed ? 'Signed in' : 'Refused', assetsPath, body }))
}

/** A link that somebody has answered. */
export function deviceAnsweredPage({
  answer,
  assetsPath,
  requestId,
}: {
  answer: DeviceAnswer
  assetsPath: string
  requestId: string
}): Promise<Response> {
  const message = `The program was ${answer} by it; a link is answered once.`
  const advice = 'If that was not you, or you changed your mind, start again in your terminal.'
  const title = 'This link was answered already'
  return pageResponse(errorPage({ title, message, advice, requestId, assetsPath }), { status: 409 })
}

/** A link that leads nowhere any more. */
export function deviceGonePage({
  assetsPath,
  requestId,
}: {
  assetsPath: string
  requestId: string
}): Promise<Response> {
  const message = 'It is too old, or was cut off when it was copied.'
  const advice = 'Start again in your terminal, and open the whole link it prints.'
  return pageResponse(errorPage({ title: 'This link leads nowhere', message, advice, requestId, assetsPath }), {
    status: 400,
  })
}
