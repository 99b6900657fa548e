import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alphaOptionsSchema } from '../../../proxy/alpha/alpha-options.ts'
import { cleanLocation, compileUpstreamPaths, type Place } from './find-upstream.ts'

interface Rule {
  readonly path: string
  readonly rewriteTarget?: string
}

function finder(rules: readonly Rule[], proxyRawPath = false) {
  const upstreams = rules.map((rule) => ({ id: rule.path, uri: 'http://app.example', ...rule }))
  const place = compileUpstreamPaths(
    alphaOptionsSchema.parse({ upstreamConfig: { proxyRawPath, upstreams } }).upstreamConfig,
  )
  return (uri: string) => shown(place(uri))
}

function shown(place: Place): string {
  if (place.kind === 'upstream') return `${place.upstream.id} ${place.target}`
  return place.kind === 'redirect' ? `301 ${place.location}` : place.kind
}

/**
 * The same, slowly and by the letter of the original's rules, for paths without escapes: try every upstream, keep the
 * one that comes first.
 */
function slowly(paths: readonly string[], path: string): string {
  const segments = path.split('/').slice(1)
  const isClean = segments.every((one, at) => (one !== '' || at === segments.length - 1) && one !== '.' && one !== '..')
  if (!isClean) return 'unclean'
  const matching = (wanted: string) =>
    paths.filter((one) => (one.at(-1) === '/' ? wanted.slice(0, one.length) === one : wanted === one))
  const longest = (found: readonly string[]) => found.reduce((a, b) => (b.length > a.length ? b : a), '')
  const found = longest(matching(path))
  if (found !== '') return `${found} ${path}`
  if (path.at(-1) !== '/' && matching(`${path}/`).length > 0) return `301 ${path}/`
  return 'nothing'
}

test('any path goes where a slow reading of the rules says', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '', '.', '..')
  const anyPath = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
  const place = fc
    .array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 })
    .chain((segments) =>
      fc.constantFrom('', '/').map((end) => `/${segments.join('/')}${segments.length > 0 ? end : ''}`),
    )
  const places = fc.uniqueArray(place, { maxLength: 5 })
  fc.assert(
    fc.property(places, anyPath, (paths, path) => {
      const wanted = slowly(paths, path)
      const found = finder(paths.map((one) => ({ path: one })))(path)
      if (wanted === 'unclean') expect(found).toMatch(/^301 /)
      else expect(found).toBe(wanted)
    }),
    { numRuns: 1000 },
  )
})

test('a redirect is clean, on this site, and leads no further', () => {
  const piece = fc.constantFrom('a', '/', '//', '.', '..', '%2f', '%2e', '%5c', '\\', ';', '%20', 'é', '@', ':')
  const uri = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)
  const find = finder([{ path: '/' }])
  fc.assert(
    fc.property(uri, (sent) => {
      const first = cleanLocation(sent) ?? sent
      expect(cleanLocation(first)).toBeUndefined()
      const found = find(first)
      if (!found.startsWith('301 ')) return
      const location = found.slice(4)
      expect(location).toMatch(/^\/(?![/\\])/)
      expect(find(location)).toBe(`/ ${location}`)
    }),
    { numRuns: 2000 },
  )
})

describe('rewrites', () => {
  const named = '/users/$' + '{who}x$$$1x'
  const find = finder([
    { path: '/' },
    { path: '^/rw/(.*)$', rewriteTarget: '/new/$1?x=1' },
    { path: '^/(?P<who>[a-z]+)/home$', rewriteTarget: named },
    { path: '^/plain/', rewriteTarget: '/' },
  ])

  test.each([
    ['/rw/a/b?x=2&a=%20b', '/new/a/b?a=+b&x=2&x=1'],
    ['/rw/a%2Fb', '/new/a/b?x=1'],
    ['/rw/%23', '/new/%23?x=1'],
    ['/ada/home', '/users/adax$'],
    ['/plain/x', '/x'],
    ['/other', '/other'],
  ])('%s is asked for as %s', (uri, target) => {
    expect(find(uri).split(' ')[1]).toBe(target)
  })

  test('come before any other, the longest pattern first', () => {
    const some = finder([
      { path: '/rw/very/long/path' },
      { path: '^/rw/', rewriteTarget: '/a/' },
      { path: '^/rw/v', rewriteTarget: '/b/' },
    ])
    expect(some('/rw/very/long/path')).toBe('^/rw/v /b/ery/long/path')
  })

  test('a path that a rewrite leaves as it is keeps its escapes', () => {
    const same = finder([{ path: '^/(.*)$', rewriteTarget: '/$1' }])
    expect(same('/a%2Fb')).toBe('^/(.*)$ /a%2Fb')
  })

  test('that would leave what the rule names are refused', () => {
    const raw = finder([{ path: '^/rw/(.*)$', rewriteTarget: '/new/$1' }], true)
    expect(raw('/rw/..%2f..%2fetc')).toBe('malformed')
    expect(raw('/rw/%2f%2fevil')).toBe('malformed')
    expect(raw('/rw/a..b')).toBe('^/rw/(.*)$ /new/a..b')
  })
})

test('escaped slashes are looked behind, unless paths are raw', () => {
  expect(finder([{ path: '/' }])('/%2F/x')).toBe('301 /x')
  expect(finder([{ path: '/' }])('/a%2f..%2fb')).toBe('301 /b')
  expect(finder([{ path: '/' }], true)('/%2F/x')).toBe('/ /%2F/x')
  expect(finder([{ path: '/a/' }])('/a%2Fb')).toBe('/a/ /a%2Fb')
  expect(finder([{ path: '/a/' }], true)('/a%2Fb')).toBe('nothing')
})
