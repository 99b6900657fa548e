import { html } from 'hono/html'
import type { RequestContext } from '../../http/part.ts'
import { page, pageResponse } from '../../http/views/page.ts'
import type { Broker } from '../broker.ts'
import { lookOf } from '../pages/look.ts'

/** The issuer's own address: says what this is and where its discovery document lies. */
export function handleRoot(broker: Broker, { requestId }: RequestContext): Promise<Response> {
  const discovery = `${broker.issuer.path}/.well-known/openid-configuration`
  const body = html`<section class="card">
<h1>Sign-in service</h1>
<p class="muted">Applications send you here to sign in. There is nothing to do on this page.</p>
<p><a href="${discovery}">Discovery document</a></p>
</section>`
  return pageResponse(page({ title: 'Sign-in service', body, ...lookOf(broker, requestId) }))
}
