import type { Reader } from '../policy/reader.ts'
import { unknownCommands } from './header-values.ts'
import { type HeaderOperations, noHeaderOperations } from './virtual-service.ts'

/** Reads the `headers` of a route or destination. */
export function parseHeaders(headers: Reader) {
  headers.refuseUnknown(['request', 'response'])
  // `headers: {}` of a delegate is its own choice of none, as no `headers` is not
  const none = headers.isPresent ? { ...noHeaderOperations } : noHeaderOperations
  return {
    requestHeaders: parseOperations(headers.field('request'), none),
    responseHeaders: parseOperations(checkOrdinary(headers.field('response'), ['set', 'add']), none),
  }
}

/** Only a request has a host that headers could set. */
function checkOrdinary(operations: Reader, lists: readonly string[]): Reader {
  for (const list of lists) {
    const reader = operations.field(list)
    const names = list === 'remove' ? reader.texts() : reader.names()
    for (const name of names) if (/^host$|^:/i.test(name)) reader.error(`\`${name}\` is no header here`)
  }
  return operations
}

function parseOperations(operations: Reader, none: HeaderOperations): HeaderOperations {
  if (!operations.isPresent) return none
  operations.refuseUnknown(['set', 'add', 'remove'])
  checkOrdinary(operations, ['remove'])
  const [set, add] = [parsePairs(operations.field('set')), parsePairs(operations.field('add'))]
  if ([...set, ...add].filter(([name]) => authorityNames.has(name)).length > 1) {
    operations.error('names the host twice')
  }
  const authority = [...set, ...add].find(([name]) => authorityNames.has(name))?.[1]
  const removed = operations.field('remove').texts()
  if (removed.includes('')) operations.field('remove').error('an empty name is no header')
  const isOrdinary = (name: string) => name !== 'host' && !name.startsWith(':')
  return {
    set: set.filter(([name]) => isOrdinary(name)),
    add: add.filter(([name]) => isOrdinary(name)),
    remove: removed.map((name) => name.toLowerCase()).filter(isOrdinary),
    authority,
  }
}

/** They are no headers but the host the app is called by (istio pilot/pkg/networking/core/route `isAuthorityHeader`). */
const authorityNames = new Set(['host', ':authority'])

function parsePairs(values: Reader) {
  return values.names().flatMap((name) => {
    const value = values.field(name).text() ?? ''
    if (name === '' || (name.startsWith(':') && name !== ':authority')) values.error(`\`${name}\` is no header`)
    if (/%(?!%|[A-Z_]+(?:\([^()]*\))?%)/.test(value.replaceAll('%%', '').replace(/%[A-Z_]+(?:\([^()]*\))?%/g, ''))) {
      values.field(name).error('a percent sign of its own is written `%%`')
    }
    if (value === '') values.field(name).warn('an empty value leaves the header as it is')
    for (const command of unknownCommands(value)) values.field(name).warn(`\`${command}\` is sent as it is written`)
    return value === '' ? [] : [[name.toLowerCase(), value] as const]
  })
}
