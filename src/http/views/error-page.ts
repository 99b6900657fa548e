import { html } from 'hono/html'
import type { Html } from './html.ts'
import { page } from './page.ts'

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
  /** The platform's name, beside the mark. */
  readonly brandName?: string
}

/** The error page shared by all parts. */
export function errorPage(props: ErrorPageProps): Html {
  const { title, message, advice, action, requestId, assetsPath, brandName } = props
  const body = html`<section class="card" role="alert">
<h1>${title}</h1>
<p id="kc-error-message">${message}</p>
${advice === undefined ? '' : html`<p class="muted">${advice}</p>`}
${action === undefined ? '' : html`<p class="actions"><a class="button" href="${action.href}">${action.text}</a></p>`}
</section>`
  return page({ title, assetsPath, body, requestId, ...(brandName === undefined ? {} : { brandName }) })
}
