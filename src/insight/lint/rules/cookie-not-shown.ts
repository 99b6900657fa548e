import { addToList, httpProvidersAsked, letsPass, placeOfList } from '../providers.ts'
import type { Rule } from '../rule.ts'
import { signInExample } from '../sign-in-example.ts'

const list = 'includeRequestHeadersInCheck'

/** A provider that never sees the session. */
export const cookieNotShown: Rule = {
  id: 'cookie-not-shown',
  severity: 'error',
  title: 'the provider is asked about requests without their cookies',
  why: 'Istio tells a provider only the headers that are listed. Without `cookie` it knows no session: after each sign-in people are at the sign-in page again, for ever.',
  remedy: 'Name `cookie` in `includeRequestHeadersInCheck` of the provider.',
  bad: signInExample({ toCheck: 'authorization' }),
  good: signInExample({}),
  find: (subject) =>
    httpProvidersAsked(subject)
      .filter((provider) => !letsPass(provider, list, 'cookie'))
      .flatMap((provider) => {
        const place = placeOfList(subject, provider, list)
        const message = `\`${provider.name}\` is not told the cookies of a request, so it knows no session`
        return place ? { place, message, fix: 'add `cookie`' } : []
      }),
  edits: ({ place }, subject) => addToList(subject, { place, list, header: 'cookie' }),
}
