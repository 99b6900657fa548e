import { html } from 'hono/html'
import { hiddenFields } from '../../http/views/field.ts'
import { type Html, page } from '../../http/views/page.ts'
import type { Look } from './look.ts'

/** What the approval page shows. */
export interface ApprovalPageProps extends Look {
  /** The page's own URL with its `req` and `hmac`. */
  readonly action: string
  readonly approvalId: string
  readonly username: string
  readonly clientName: string
  readonly scopes: readonly string[]
}

/** What a scope lets an application do, in words. */
const meanings: Readonly<Record<string, string>> = {
  email: 'See your e-mail address',
  profile: 'See your name',
  groups: 'See which groups you are in',
  offline_access: 'Stay signed in while you are away',
  'federated:id': 'See who you are at your identity provider',
}

/** Asks whether the application may have what it asks for. */
export function approvalPage(props: ApprovalPageProps): Html {
  const { action, approvalId, username, clientName, scopes, ...look } = props
  const wishes = scopes.flatMap((scope) => meanings[scope] ?? audienceWish(scope) ?? [])
  const body = html`<section class="card">
<h1>Let ${clientName} sign you in?</h1>
<p class="muted">You are signed in as ${username}.</p>
${
  wishes.length === 0
    ? html`<p>It learns that you are the same person as last time, and nothing else.</p>`
    : html`<p>It would be able to:</p>
<ul class="list">${wishes.map((wish) => html`<li>${wish}</li>`)}</ul>`
}
<form class="form" method="post" action="${action}">
${hiddenFields({ req: approvalId })}
<button class="button" type="submit" name="approval" value="approve">Allow</button>
<button class="button secondary" type="submit" name="approval" value="rejected">Cancel</button>
</form>
</section>`
  return page({ title: `Sign in to ${clientName}`, body, ...look })
}

function audienceWish(scope: string): string | undefined {
  const prefix = 'audience:server:client_id:'
  return scope.startsWith(prefix) ? `Act for you at ${scope.slice(prefix.length)}` : undefined
}
