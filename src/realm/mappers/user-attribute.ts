import type { Group, RealmModel } from '../model.ts'
import type { User } from '../user.ts'
import type { Mapper } from './mapper.ts'
import { setClaim, typedValue } from './set-claim.ts'
import { userProperty } from './user-property.ts'

/** `oidc-usermodel-attribute-mapper`: an attribute of the user, or of their groups where the user has none. */
export const userAttribute: Mapper = {
  map(claims, config, { user, model }) {
    const name = config['user.attribute'] ?? ''
    const values = attributeOf(user, model, { name, isAggregated: config['aggregate.attrs'] === 'true' })
    setClaim(claims, config, typedValue(values, config))
  },
}

function attributeOf(
  user: User,
  model: RealmModel,
  { name, isAggregated }: { name: string; isAggregated: boolean },
): readonly string[] {
  const property = userProperty(user, name)
  const own = user.attributes[name] ?? (property === undefined ? [] : [property])
  if (own.length > 0 && !isAggregated) return own
  const inherited = user.groupIds.map((id) => groupAttribute(model.groups.get(id), model, name))
  if (isAggregated) return [...new Set([...own, ...inherited.flat()])]
  return inherited.find((values) => values.length > 0) ?? []
}

/** A group's attribute, or the nearest ancestor's. */
function groupAttribute(group: Group | undefined, model: RealmModel, name: string): readonly string[] {
  if (!group) return []
  const own = group.attributes[name] ?? []
  if (own.length > 0 || group.parentId === undefined) return own
  return groupAttribute(model.groups.get(group.parentId), model, name)
}
