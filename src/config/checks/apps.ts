import type { Problems, SourceDocument } from '../../kit/problems.ts'
import type { GatehouseYaml } from '../gatehouse-yaml-schema.ts'
import { ownRoutes } from '../stock.ts'

/** Two apps of one name or prefix, and prefixes that are a part's own, lead some of their requests to somebody else. */
export function checkApps(
  { source }: SourceDocument,
  { settings: { apps }, problems }: { readonly settings: GatehouseYaml; readonly problems: Problems },
): void {
  for (const [index, { name, prefix }] of apps.entries()) {
    const before = apps.slice(0, index)
    const told = (key: string, message: string, fix: string) =>
      problems.error(source, ['apps', index, key], message, fix)
    const lineOf = (at: number) => source.position(['apps', at])?.line
    const sameName = before.findIndex((other) => other.name === name)
    if (sameName !== -1) {
      told('name', `\`${name}\` is the name of another app, too (line ${lineOf(sameName)})`, 'give each its own')
    }
    const samePrefix = before.findIndex((other) => other.prefix === prefix)
    if (samePrefix !== -1) {
      const first = apps[samePrefix]?.name
      told('prefix', `\`${prefix}\` leads to \`${first}\` already (line ${lineOf(samePrefix)})`, 'give each its own')
    }
    const owner = ownRoutes.find((route) => prefix.startsWith(route.prefix))
    if (owner) {
      const taken = ownRoutes.map((route) => `\`${route.prefix}\``).join(', ')
      told('prefix', `\`${prefix}\` is the ${owner.name}’s own path`, `choose one that begins with none of ${taken}`)
    }
  }
}
