import { claimsOf } from '../identity.ts'
import { hasHeader, withHeaders, withIdentity } from './change-request.ts'
import type { Candidate, SuggestionKind } from './kind.ts'

const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'x-requested-with': undefined,
  upgrade: undefined,
  'content-type': undefined,
}

/** The same URL asked for in another way: as a navigation, without a header that is no token, without credentials. */
export const otherRequest: SuggestionKind = ({ situation, walk }) => {
  const candidates: Candidate[] = []
  const { cause } = walk
  const request = (text: string, size: number, apply: Candidate['apply']) =>
    candidates.push({ text, places: [], size, apply })
  if (cause?.kind === 'provider' && walk.answer.status === 401) {
    request('ask as a browser’s navigation, not as a script', 1, (one) => withHeaders(one, navigation))
  }
  if (cause && hasHeader(situation, 'authorization')) {
    request('leave out the `Authorization` header', 1, (one) => withHeaders(one, { authorization: undefined }))
  }
  if (!cause && claimsOf(situation.request.identity)) {
    request('come without credentials', 1, (one) => withIdentity(one, undefined))
  }
  return candidates
}
