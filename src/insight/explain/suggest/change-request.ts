import type { AskedRequest, Identity, Situation } from '../situation.ts'

/** The situation with another sender. */
export function withIdentity(situation: Situation, identity: Identity | undefined): Situation {
  const { request } = situation
  const headers = withoutNames(request, identity ? ['authorization'] : ['authorization', 'cookie'])
  return { ...situation, request: { ...request, headers, identity } }
}

/** The situation with these headers in place of any of the same names; `undefined` only removes. */
export function withHeaders(situation: Situation, changed: Readonly<Record<string, string | undefined>>): Situation {
  const { request } = situation
  const added = Object.entries(changed).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return { ...situation, request: { ...request, headers: [...withoutNames(request, Object.keys(changed)), ...added] } }
}

function withoutNames({ headers }: AskedRequest, names: readonly string[]): AskedRequest['headers'] {
  return headers.filter(([name]) => !names.includes(name.toLowerCase()))
}

/** Whether the request brings a header. */
export function hasHeader({ request }: Situation, wanted: string): boolean {
  return request.headers.some(([name]) => name.toLowerCase() === wanted)
}
