import { GatehouseError } from '../../kit/errors.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import { listAt, memberAt, type ProviderApi, textAt } from './api.ts'
import { googleAdminToken } from './google-credentials.ts'

const base = 'https://admin.googleapis.com/admin/directory/v1'

/** Google's Admin SDK, asked in an administrator's name. */
export interface GoogleDirectory {
  /** Whether someone is in a group or in a group inside it. */
  isMember(group: string, email: string): Promise<boolean>
  /** Addresses of the groups someone is in. */
  groupsOf(email: string): Promise<string[]>
  /** The id the organization has given someone; `undefined` where it has not. */
  organizationId(email: string): Promise<string | undefined>
}

/** Opens the directory with a fresh token: it is asked at logins and refreshes only. */
export async function openGoogleDirectory(
  config: ProviderOptions['googleConfig'],
  { api, nowSeconds }: { api: ProviderApi; nowSeconds: number },
): Promise<GoogleDirectory> {
  const headers = { authorization: `Bearer ${await googleAdminToken(config, { api, nowSeconds })}` }
  const urlOf = (...path: string[]) => [base, ...path.map(encodeURIComponent)].join('/')

  return {
    async isMember(group, email) {
      const answer = await api.json(urlOf('groups', group, 'hasMember', email), { headers }).catch(refusal)
      if (!(answer instanceof GatehouseError)) return memberAt(answer, 'isMember') === true
      // For members of another domain Google answers 400; they can be looked up directly.
      if (!answer.detail?.startsWith('400')) return false
      const member = await api.json(urlOf('groups', group, 'members', email), { headers }).catch(refusal)
      return textAt(member, 'status') === 'ACTIVE'
    },
    async groupsOf(email) {
      const url = `${base}/groups?${new URLSearchParams({ userKey: email, maxResults: '200' })}`
      const pages = await api.pages(url, {
        headers,
        next(page) {
          const token = textAt(page, 'nextPageToken')
          return token === undefined ? undefined : `${url}&pageToken=${encodeURIComponent(token)}`
        },
      })
      return pages.flatMap((page) => listAt(page, 'groups')).flatMap((group) => textAt(group, 'email') ?? [])
    },
    async organizationId(email) {
      const user = await api.json(urlOf('users', email), { headers })
      const entry = listAt(user, 'externalIds').find((one) => textAt(one, 'type') === 'organization')
      return textAt(entry, 'value')
    },
  }
}

function refusal(error: unknown): GatehouseError {
  if (error instanceof GatehouseError && error.code === 'api_refused') return error
  throw error
}
