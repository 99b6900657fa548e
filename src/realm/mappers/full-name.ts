import type { Mapper } from './mapper.ts'

/** `oidc-full-name-mapper`: `name` is first and last name with a space. */
export const fullName: Mapper = {
  map(claims, _config, { user }) {
    const name = [user.firstName, user.lastName].filter((part) => part !== undefined && part !== '').join(' ')
    if (name !== '') claims['name'] = name
  },
}
