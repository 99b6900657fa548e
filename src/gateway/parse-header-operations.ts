import type { Reader } from '../policy/reader.ts'
import { unknownCommands } from './header-values.ts'
import { type HeaderOperations, noHeaderOperations } from './virtual-service.ts'

/** Reads the `headers` of a route or destination. */
export function parseHeaders(headers: Reader) {
  headers.refuseUnknown(['request', 'response'])
  return {
    requestHeaders: parseOperations(headers.field('request')),
    responseHeaders: parseOperations(headers.field('response')),
  }
}

function parseOperations(operations: Reader): HeaderOperations {
  if (!operations.isPresent) return noHeaderOperations
  operations.refuseUnknown(['set', 'add', 'remove'])
  const [set, add] = [parsePairs(operations.field('set')), parsePairs(operations.field('add'))]
  const authority = [...set, ...add].find(([name]) => authorityNames.has(name))?.[1]
  const isOrdinary = (name: string) => name !== 'host' && !name.startsWith(':')
  return {
    set: set.filter(([name]) => isOrdinary(name)),
    add: add.filter(([name]) => isOrdinary(name)),
    remove: operations
      .field('remove')
      .texts()
      .map((name) => name.toLowerCase())
      .filter(isOrdinary),
    authority,
  }
}

/** They are no headers but the host the app is called by (istio pilot/pkg/networking/core/route `isAuthorityHeader`). */
const authorityNames = new Set(['host', ':authority'])

function parsePairs(values: Reader) {
  return values.names().flatMap((name) => {
    const value = values.field(name).text() ?? ''
    if (value === '') values.field(name).warn('an empty value leaves the header as it is')
    for (const command of unknownCommands(value)) values.field(name).warn(`\`${command}\` is sent as it is written`)
    return value === '' ? [] : [[name.toLowerCase(), value] as const]
  })
}
