import { GatehouseError } from '../../../kit/errors.ts'
import { textAt, textsAt } from '../api.ts'
import { bearerHeaders, type ProviderKind } from '../kind.ts'

/** Nextcloud, whose URLs are all configured (oauth2-proxy providers/nextcloud.go). */
export const nextcloud: ProviderKind = {
  title: 'Nextcloud',
  about: 'a Nextcloud server; `validate_url` is its `/ocs/v2.php/cloud/user?format=json`',
  protocol: 'oauth2',
  tokenHeaders: bearerHeaders,
  check: ({ validateURL, profileURL }) =>
    validateURL === '' && profileURL === ''
      ? [
          {
            key: 'validate_url',
            message: 'is missing',
            fix: 'write https://your.nextcloud/ocs/v2.php/cloud/user?format=json',
          },
        ]
      : [],
  async enrich(session, { options, api }) {
    const url = options.profileURL || options.validateURL
    const answer = await api.json(url, { headers: bearerHeaders(session.accessToken ?? '') })
    const user = textAt(answer, 'ocs', 'data', 'id')
    const email = textAt(answer, 'ocs', 'data', 'email')
    if (user === undefined) throw new GatehouseError('provider_refused', 'Nextcloud did not say who the account is')
    const groups = textsAt(answer, 'ocs', 'data', 'groups')
    return {
      ...session,
      user,
      ...(email === undefined ? {} : { email }),
      ...(groups.length === 0 ? {} : { groups }),
    }
  },
}
