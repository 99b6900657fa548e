import type { Reader } from '../policy/reader.ts'
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
  const pairs = (field: string) => {
    const values = operations.field(field)
    return values.names().map((name) => [name.toLowerCase(), values.field(name).text() ?? ''] as const)
  }
  return {
    set: pairs('set'),
    add: pairs('add'),
    remove: operations
      .field('remove')
      .texts()
      .map((name) => name.toLowerCase()),
  }
}
