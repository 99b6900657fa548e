import { html } from 'hono/html'
import type { Html } from './html.ts'

/** Who is signed in, and what to do about it, for the end of the top bar. */
export function signedInAs(user: string, action: Html): Html {
  return html`<div class="topbar-end"><span class="avatar" aria-hidden="true">${initialOf(user)}</span>
<span class="name"><span class="visually-hidden">Signed in as </span>${user}</span>
${action}</div>`
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
