import { html } from 'hono/html'
import { type Html, page } from './page.ts'

/** What an error page tells a person: what happened, what to do, and the id an operator looks it up by. */
export interface ErrorPageProps {
  readonly title: string
  /** What happened and to whom, in a sentence. Never a secret, token or stack. */
  readonly message: string
  /** What the visitor can do about it. */
  readonly advice?: string
  /** A way on: a link with its text. */
  readonly action?: { readonly href: string; readonly text: string }
  readonly requestId?: string | undefined
  readonly assetsPath: string
}

/** The error page shared by all parts. */
export function errorPage({ title, message, advice, action, requestId, assetsPath }: ErrorPageProps): Html {
  const body = html`<section class="card" role="alert">
<h1>${title}</h1>
<p id="kc-error-message">${message}</p>
${advice === undefined ? '' : html`<p class="muted">${advice}</p>`}
${action === undefined ? '' : html`<p><a class="button" href="${action.href}">${action.text}</a></p>`}
${requestId === undefined ? '' : html`<p class="muted small">Request <code>${requestId}</code></p>`}
</section>`
  return page({ title, assetsPath, body })
}
