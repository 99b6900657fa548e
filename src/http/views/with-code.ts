import { html } from 'hono/html'
import type { Html } from './html.ts'

/** A message as people see it: what stands between backticks is code. */
export function withCode(message: string): Html {
  return html`${message.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`
}
