import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { formatProblem, namedSource, Problems } from '../../kit/problems.ts'
import { defaultProxyConfig, type ProxyConfig } from '../typed-config.ts'
import { alphaOfConfig } from './alpha-of-config.ts'
import { alphaYaml } from './alpha-yaml.ts'
import { readAlpha } from './read-alpha.ts'

function readBack(yaml: string) {
  const problems = new Problems()
  const options = readAlpha({ value: parse(yaml), source: namedSource('alpha.yaml') }, problems)
  return { options, problems: problems.list.map(formatProblem) }
}

test('what is converted reads back as it was, whatever the texts', () => {
  // Texts without the line separators of Unicode, which Go's YAML writer breaks lines at.
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !/[\x85\u2028\u2029\ufeff]/.test(value))
  const texts = fc.array(text, { maxLength: 3 })
  fc.assert(
    fc.property(text, text, texts, fc.integer({ min: 0, max: 1e9 }), fc.boolean(), (a, b, list, milliseconds, flag) => {
      const config: ProxyConfig = {
        ...defaultProxyConfig,
        ...{
          client_id: a,
          scope: b,
          login_url: a,
          basic_auth_password: b || 'p',
          allowed_groups: list,
          set_basic_auth: flag,
        },
        ...{ upstreams: ['http://a/', 'static://202'], upstream_timeout: milliseconds, pass_host_header: flag },
      }
      const options = alphaOfConfig(config)
      const read = readBack(alphaYaml(options))
      expect(read.problems).toEqual([])
      expect(read.options).toEqual(options)
    }),
  )
})

test('keys match in any case, what is empty takes its default, the rest is named with its place', () => {
  const { options } = readBack('PROVIDERS: [{ID: a, clientid: b, scope:, OidcConfig: {IssuerUrl: c}}]')
  expect(options?.providers[0]).toMatchObject({ id: 'a', clientID: 'b', scope: '', oidcConfig: { issuerURL: 'c' } })
  expect(readBack('providers: [{id: 1, colour: red}]').problems).toEqual([
    'alpha.yaml: error: providers[0].id: must be a text, got a number',
    'alpha.yaml: error: providers[0].colour: unknown key `colour`',
  ])
})

test.each([
  ['30s', 30_000],
  ['1.5', 1500],
  ['2000000', 2],
])('a timeout of %s is %s ms', (timeout, milliseconds) => {
  const { options } = readBack(`upstreamConfig: {upstreams: [{timeout: ${timeout}}]}`)
  expect(options?.upstreamConfig.upstreams[0]?.timeout).toBe(milliseconds)
})

test('of a certificate and its key the one that is missing is written, too', () => {
  const config: ProxyConfig = { ...defaultProxyConfig, tls_key_file: 'tls.key' }
  expect(parse(alphaYaml(alphaOfConfig(config)))).toMatchObject({
    server: { tls: { cert: {}, key: { fromFile: 'tls.key' } } },
  })
})
