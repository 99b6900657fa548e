import { html } from 'hono/html'
import type { Html } from './html.ts'

/** Who is signed in, for the end of the top bar: a letter, the name, and what else belongs there. */
export function signedInAs(user: string, ...more: readonly Html[]): Html {
  return html`<div class="topbar-user"><span class="avatar" aria-hidden="true">${initialOf(user)}</span>
<span class="name"><span class="visually-hidden">Signed in as </span>${user}</span>${more}</div>`
}

/** Groups as a row of badges; a sentence where there is none. */
export function groupBadges(groups: readonly string[]): Html {
  if (groups.length === 0) return html`<p class="muted">None</p>`
  return html`<ul class="badges" aria-label="Groups">${groups.map((group) => html`<li class="badge">${group}</li>`)}</ul>`
}

/** The first letter of a name, whole even where it is more than one code unit. */
export function initialOf(name: string): string {
  return (Array.from(name.trim())[0] ?? '?').toUpperCase()
}
