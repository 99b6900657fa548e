import type { Mapper } from './mapper.ts'
import { setClaim } from './set-claim.ts'

/** `oidc-group-membership-mapper`: the user's groups, as paths with their leading slash or (`full.path` false) by their last name. */
export const groupMembership: Mapper = {
  map(claims, config, { user, model }) {
    const paths = user.groupIds.flatMap((id) => model.groups.get(id)?.path ?? []).sort()
    const isFullPath = config['full.path'] !== 'false'
    const names = isFullPath ? paths : paths.map((path) => path.slice(path.lastIndexOf('/') + 1))
    setClaim(claims, config, names)
  },
}
