import type { Problems, SourceDocument } from '../../kit/problems.ts'
import { exemptionsOf } from '../exemptions.ts'
import { objectOf } from '../json-values.ts'
import type { Originals } from '../originals.ts'
import { seenAt } from '../places.ts'

/** The pair of policies must exempt the same paths: one list only is a 403, or the wrong login page. */
export function checkExemptions({ istio }: Originals, problems: Problems): void {
  const custom = exemptionsWith('CUSTOM', istio)
  const deny = exemptionsWith('DENY', istio)
  const own = problems.under('exempt-in-one-list')
  warnOfLone(custom, { others: deny, consequence: 'a browser gets 403 there' }, own)
  warnOfLone(deny, { others: custom, consequence: 'a browser is sent to the platform’s own sign-in there' }, own)
}

type Exemption = ReturnType<typeof exemptionsOf>[number] & { readonly document: SourceDocument }

function exemptionsWith(action: string, policies: readonly SourceDocument[]): Exemption[] {
  return policies
    .filter(({ value }) => objectOf(objectOf(value)['spec'])['action'] === action)
    .flatMap((document) => exemptionsOf(document).map((exemption) => ({ ...exemption, document })))
}

function warnOfLone(
  own: readonly Exemption[],
  { others, consequence }: { others: readonly Exemption[]; consequence: string },
  problems: Problems,
): void {
  const [other] = others
  if (!other) return
  const exempted = others.flatMap(({ paths: other }) => other)
  for (const { document, path, paths } of own) {
    for (const [index, value] of paths.entries()) {
      if (exempted.some((pattern) => covers(pattern, value)) || value.endsWith('**')) continue
      const place = seenAt({ source: other.document.source, path: other.path })
      const message = `\`${value}\` is exempt here, but not in the other policy${place}: ${consequence}`
      problems.warn(document.source, [...path, index], message, 'write it into both lists, or into neither')
    }
  }
}

/** Whether a path, or all that begins as it does, is exempt by `pattern`: `/dex/*` covers `/dex/healthz`. */
function covers(pattern: string, value: string): boolean {
  return pattern === value || (pattern.endsWith('*') && value.startsWith(pattern.slice(0, -1)))
}
