import { placeOf } from '../places.ts'
import { addToList, httpProvidersAsked, letsPass, needsToken, placeOfList } from '../providers.ts'
import type { Found, Rule } from '../rule.ts'
import { signInExample } from '../sign-in-example.ts'
import type { Subject } from '../subject.ts'

const list = 'headersToUpstreamOnAllow'

/** The token of a session never reaches the gateway. */
export const tokenNotHandedOn: Rule = {
  id: 'token-not-handed-on',
  severity: 'error',
  title: 'the token of a session does not get from oauth2-proxy to the gateway',
  why: 'Everybody can sign in, and then every page answers 403 `RBAC: access denied`: the policy asks for a verified token, and the request has none.',
  remedy:
    'Set `set_authorization_header = true`, and name `authorization` in `headersToUpstreamOnAllow` of the provider.',
  bad: signInExample({ toUpstream: 'path' }),
  good: signInExample({ toUpstream: 'path, authorization' }),
  find: (subject) => (needsToken(subject) ? [...atProxy(subject), ...atProvider(subject)] : []),
  edits: ({ place }, subject) => {
    const setting = subject.proxySetting('set_authorization_header')
    return setting && placeOf(setting).line === place.line && setting.source.file === place.file
      ? [{ kind: 'replace', place, from: 'false', to: 'true' }]
      : addToList(subject, { place, list, header: 'authorization' })
  },
}

/** An alpha file says it otherwise; its keys are not among these. */
function atProxy(subject: Subject): Found[] {
  const setting = subject.proxySetting('set_authorization_header')
  const issuer = subject.proxySetting('oidc_issuer_url')
  if (!issuer || /^(?:true|t|1)$/i.test(String(setting?.value)) || httpProvidersAsked(subject).length === 0) return []
  const message = 'answers without the token, and the policies at the gateway refuse requests without one'
  return [{ place: placeOf(setting ?? issuer), message, fix: 'set `set_authorization_header = true`' }]
}

function atProvider(subject: Subject): Found[] {
  return httpProvidersAsked(subject)
    .filter((provider) => !letsPass(provider, list, 'authorization'))
    .flatMap((provider) => {
      const place = placeOfList(subject, provider, list)
      const message = `\`authorization\` of the provider’s answer is not handed on, so no request has a token`
      return place ? { place, message, fix: 'add `authorization`' } : []
    })
}
