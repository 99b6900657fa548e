import type { Verdict } from './explanation.ts'
import { isLetThrough, type Walk } from './situation.ts'

/** What the client sees, and who decided it. */
export function verdictOf(walk: Walk): Verdict {
  const { answer } = walk
  const location = answer.headers['location']
  const body = walk.reached ? undefined : shownBody(walk)
  return {
    isAllowed: isLetThrough(walk),
    status: answer.status,
    summary: summaryOf(walk),
    ...(body === undefined ? {} : { body }),
    ...(location === undefined ? {} : { location: withoutQuery(location) }),
  }
}

function summaryOf({ reached, cause, ownReason, facts, route, answer }: Walk): string {
  if (reached) return `the request reaches ${reached.destination}, which answers`
  if (!facts) return 'the gateway refuses the request as malformed'
  switch (cause?.kind) {
    case 'provider':
      return cause.isError
        ? `the provider \`${cause.provider}\` fails, and a failure refuses`
        : answer.status < 400
          ? `the provider \`${cause.provider}\` sends the browser to sign in`
          : `the provider \`${cause.provider}\` refuses`
    case 'token':
      return 'the token is refused'
    case 'policy':
      return cause.rule ? `\`${cause.rule.policy.name}\` denies it` : 'no ALLOW rule matches'
    default:
      if (!route) return 'the policies let it pass, but no route leads anywhere'
      return ownReason === undefined
        ? `the route answers ${answer.status}`
        : `the policies let it pass, but ${ownReason}`
  }
}

const longestBody = 300

/** A page is told by its title. */
function shownBody({ answer: { body, headers } }: Walk): string | undefined {
  const grpcStatus = headers['grpc-status']
  if (grpcStatus !== undefined) return `grpc-status ${grpcStatus}: ${headers['grpc-message'] ?? ''}`
  if (body === '') return undefined
  if (!headers['content-type']?.startsWith('text/html')) return body.slice(0, longestBody)
  return `page “${/<title>([^<]*)/.exec(body)?.[1] ?? 'without a title'}”`
}

/** A sign-in's URL carries a sealed state. */
function withoutQuery(location: string): string {
  const mark = location.indexOf('?')
  return mark < 0 ? location : `${location.slice(0, mark)}?…`
}
