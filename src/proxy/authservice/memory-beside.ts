import type { SessionMemory } from '../sessions/session-memory.ts'
import type { AuthserviceSettings } from './settings.ts'

/**
 * The memory, as far as it may answer here: not for requests with a credential in a header it does not know, and not at
 * all where each request is asked about elsewhere.
 */
export function memoryBeside(
  memory: SessionMemory,
  { authenticators, externalAuthorizationUrl }: AuthserviceSettings,
): SessionMemory {
  if (externalAuthorizationUrl !== '') return { ...memory, find: () => undefined, begin: () => () => {} }
  const others = ['x-auth-token', authenticators.bearerHeader, authenticators.idTokenHeader].filter(
    (name) => name !== 'authorization',
  )
  return {
    ...memory,
    find: (headers) => (others.some((name) => headers[name] !== undefined) ? undefined : memory.find(headers)),
  }
}
