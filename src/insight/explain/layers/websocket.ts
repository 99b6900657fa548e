import { foreignOrigin } from '../../../gateway/upgrade.ts'
import type { Detail, Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'

/** Whether a WebSocket may be opened from where it is: browsers send cookies along for any page, and CORS asks nobody. */
export function explainWebSocket({ request }: Situation, { facts, cause, ownReason }: Walk): Layer | undefined {
  const upgrade = request.headers.find(([name]) => name.toLowerCase() === 'upgrade')?.[1]
  if (upgrade?.toLowerCase() !== 'websocket' || request.method !== 'GET') return undefined
  if (!facts || cause) return { name: 'websocket', outcome: 'skipped', summary: 'never opened', details: [] }
  const origin = facts.headers.get('origin')
  if (ownReason === foreignOrigin) {
    const detail: Detail = {
      mark: 'decides',
      text: `\`Origin: ${origin}\` is neither the platform’s address nor \`${facts.host}\`, and cookies came along: any page could open it as its visitor`,
    }
    return { name: 'websocket', outcome: 'stopped', summary: 'opened by a page of another site', details: [detail] }
  }
  return { name: 'websocket', outcome: 'passed', summary: whyOpened(origin, request, facts), details: [] }
}

function whyOpened(
  origin: string | undefined,
  { headers, identity }: Situation['request'],
  { state }: NonNullable<Walk['facts']>,
): string {
  if (!state.isNative) return 'Istio does not look where it is opened from'
  if (origin === undefined) return 'no `Origin`, so no browser opens it'
  const hasCookie = identity?.kind === 'session' || headers.some(([name]) => name.toLowerCase() === 'cookie')
  return hasCookie ? `opened by ours, \`${origin}\`` : 'no cookie that another site could use'
}
