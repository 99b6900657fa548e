import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseGatewayConfig } from '../../src/gateway/config.ts'
import { compileRoutes } from '../../src/gateway/routes.ts'
import { namedSource, Problems } from '../../src/kit/problems.ts'
import { facts } from './policy-world.ts'

interface Uri {
  readonly prefix?: string
  readonly exact?: string
  readonly regex?: string
}
interface Match {
  readonly uri?: Uri
  readonly ignoreUriCase?: boolean
  readonly method?: { readonly exact: string }
}

const path = fc.array(fc.constantFrom('a', 'A', 'ab', ''), { maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
const uri = fc.oneof(
  fc.record({ prefix: path }),
  fc.record({ exact: path }),
  fc.record({ regex: fc.constantFrom('/a.*', '/[ab]+/', '.*') }),
)
const match: fc.Arbitrary<Match> = fc.record(
  { uri, ignoreUriCase: fc.boolean(), method: fc.constant({ exact: 'PUT' }) },
  { requiredKeys: [] },
)
const hosts = fc.constantFrom(['*'], ['a.b.c'], ['*.b.c'], ['*.c'], ['b.c'], ['a.b.c', 'b.c'], ['*.b.c', 'b.c'])
const service = fc.record({ hosts, matches: fc.array(match, { minLength: 1, maxLength: 6 }) })

/** What Istio does, in the plainest way: the place of the match that takes the request. */
function expected(services: readonly { hosts: readonly string[]; matches: readonly Match[] }[], request: Asked) {
  const known = services.flatMap((one) => one.hosts)
  const host = known.filter((one) => covers(one, request.host)).toSorted(moreSpecific)[0]
  const routes = services.flatMap((one, at) =>
    host !== undefined && one.hosts.includes(host)
      ? reachable(one.matches).map((single, index) => ({ single, name: `${at}.${index}` }))
      : [],
  )
  const ordered = [...routes.filter(({ single }) => !isWide(single)), ...routes.filter(({ single }) => isWide(single))]
  return ordered.find(({ single }) => holds(single, request))?.name
}

/** istiod sends nothing behind the first catch-all of a VirtualService. */
function reachable(matches: readonly Match[]): readonly Match[] {
  const at = matches.findIndex(isWide)
  return at < 0 ? matches : matches.slice(0, at + 1)
}

interface Asked {
  readonly host: string
  readonly path: string
  readonly method: string
}

const covers = (pattern: string, host: string) =>
  pattern.startsWith('*') ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length : pattern === host
const moreSpecific = (a: string, b: string) =>
  Number(a.startsWith('*')) - Number(b.startsWith('*')) || b.length - a.length

function isWide({ uri: wanted, method }: Match): boolean {
  return !method && (!wanted || wanted.prefix === '/' || wanted.regex === '.*')
}

function holds({ uri: wanted, ignoreUriCase, method }: Match, request: Asked): boolean {
  if (method && method.exact !== request.method) return false
  if (wanted?.regex !== undefined) return new RegExp(`^(?:${wanted.regex})$`).test(request.path)
  const fold = (text: string) => (ignoreUriCase ? text.toLowerCase() : text)
  if (wanted?.exact !== undefined) return fold(request.path) === fold(wanted.exact)
  return fold(request.path).startsWith(fold(wanted?.prefix ?? ''))
}

test('routes looked up are those found one after the other', () => {
  const request = fc.record({
    host: fc.constantFrom('a.b.c', 'x.b.c', 'b.c', 'x.c', 'other'),
    path,
    method: fc.constantFrom('GET', 'PUT'),
  })
  fc.assert(
    fc.property(fc.array(service, { minLength: 1, maxLength: 4 }), request, (services, asked) => {
      const problems = new Problems()
      const documents = services.map((one, at) => ({
        value: {
          apiVersion: 'networking.istio.io/v1',
          kind: 'VirtualService',
          metadata: { name: `s${at}`, namespace: 'apps' },
          spec: {
            hosts: one.hosts,
            gateways: ['edge'],
            http: one.matches.map((single, index) => ({
              name: `${at}.${index}`,
              match: [single],
              route: [{ destination: { host: 'app' } }],
            })),
          },
        },
        source: namedSource('routes.yaml'),
      }))
      const config = parseGatewayConfig(documents, problems)
      problems.throwIfAny()
      const found = compileRoutes(config, 'native').find(facts(asked), 'http')
      expect(found?.route.name).toBe(expected(services, asked))
    }),
    { numRuns: 500 },
  )
})
