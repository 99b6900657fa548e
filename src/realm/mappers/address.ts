import type { Mapper } from './mapper.ts'

const parts = ['street', 'locality', 'region', 'postal_code', 'country', 'formatted'] as const

/** `oidc-address-mapper`: `address` (OpenID Connect Core §5.1.1) from user attributes, whose names may be configured. */
export const address: Mapper = {
  map(claims, config, { user }) {
    const found = parts.flatMap((part) => {
      const attribute = config[`user.attribute.${part}`] ?? part
      const value = user.attributes[attribute]?.[0]
      return value === undefined ? [] : [[part === 'street' ? 'street_address' : part, value]]
    })
    if (found.length > 0) claims['address'] = Object.fromEntries(found)
  },
}
