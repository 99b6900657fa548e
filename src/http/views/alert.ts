import { html } from 'hono/html'
import type { Html } from './html.ts'

/**
 * A message that screen readers speak as the page opens: `danger` interrupts (`role="alert"`), the others wait their
 * turn (`role="status"`).
 */
export function alert(message: string | Html, tone: 'danger' | 'success' | 'notice' = 'danger'): Html {
  return tone === 'danger'
    ? html`<div class="alert" role="alert">${message}</div>`
    : html`<div class="alert ${tone}" role="status">${message}</div>`
}
