import fc from 'fast-check'
import type { RandomRequest } from './random-worlds.ts'

const paths = fc.constantFrom(
  ...['/', '/a', '/a/b', '/a/b/c', '/b', '/a//b', '/A', '/a/', '/ab', '/a%2fb', '/a%2Fb', '/a/./b', '/a/../b', '//a'],
  ...['/a;b', '/b/a/', '/%61', '/a\\b', '/a?x=/b', '/a/b?x=1', '/x*y', '/*', '/a*', '/a*b', '/a/%2e%2e/b', '/a%5cb'],
  ...['/a%5Cb', '/%2e', '/a/..', '/..', '/a%252fb', '/a/%', '/a/b#c', '/%c3%a4', '/a|b', '/a/"b"', '/a/b/', '/a/x/b'],
  ...[
    '/a;x=1/b',
    '/a/;/b',
    '/..;/a',
    '/a/..;/b',
    '/a%20b',
    '/a%3fb',
    '/a%23b',

    '/a%0a',
    '/a%7e',
    '/a%2E',
    '/{*}',
  ],
  ...[
    '/a?',
    '/a?#',
    '/a?x#y?z',
    '/?/../b',
    '/a/b.txt',
    '/a=1/b',
    '/a///b',
    '//',
    '///',
    '/./',
    '/.',
    '/a/.',
    '/.a/b',
    '/a/...',
  ],
  ...[
    '/a%',
    '/%zz',
    '/a%2',
    '/a%2f%2fb',
    '/%2fa',
    '/%5c',
    '/a/%2E/b',
    '/a/.%2e/b',
    '/a,b',
    '/a:b',
    '/a@b',
    '/a&b',
    "/a!$'()b",
  ],
  ...[
    '/a[b]',
    '/a^b',
    '/a`b',
    '/a{b}',
    '/a<b>',
    '/a~b',
    '/a?x=%2f..',
    '/a/b?',
    '/\\a',
    '/a\\..\\b',
    '/a/b//',
    '/a%2e%2e/b',
  ],
)

const tokens = fc.constantFrom(
  ...[undefined, undefined, undefined, 'issuer-1', 'issuer-1', 'issuer-1-auds', 'issuer-1-kinds', 'issuer-2'],
  ...['issuer-2-scope', 'issuer-3', 'issuer-1-azp', 'issuer-1-dotted', 'issuer-1-slash', 'issuer-2-custom-scope'],
  ...['issuer-1-no-sub', 'issuer-1-empty-sub', 'issuer-1-nested-1', 'issuer-1-nested-2', 'issuer-1-expired', 'no-dots'],
  ...['issuer-4', 'issuer-2-permission', 'issuer-1-sub-2', 'issuer-1-aud', 'issuer-1-forged', 'no-issuer'],
)

export const headerTexts: fc.Arbitrary<string | string[]> = fc.constantFrom<string | string[]>(
  ...['', '1', '12', '21', '2', '1,2', '1, 2', ',', ' 1 ', '1\t', 'A', '*', '%31', 'a b'],
  ...[
    ['1', '2'],
    ['', ''],
    ['2', '1'],
    ['1', ''],
    ['x', '1,2'],
  ],
)
const forwarded = fc.constantFrom<string | string[]>(
  ...['10.0.0.1', '127.0.0.2, 10.0.0.1', '10.0.0.1,11.0.0.1', '::1', 'junk', '10.0.0.1, junk', '', ' ', '10.0.0.1,'],
  ...['10.0.0.1:80', '[::1]:80', '[2001:db8::1]', '2001:db8::1', '::ffff:10.0.0.1', ',10.0.0.1', '10.0.0.1 , 11.0.0.1'],
  ...['10.0.0.01', '0x0a.0.0.1', '10.1', '10.0.0.1/8', '2001:DB8:0:0::1', '10.0.0.1\t', '::FFFF:a00:1'],
  ...[
    ['10.0.0.1', '11.0.0.1'],
    ['', '10.0.0.1'],
    ['10.0.0.1', ''],
    ['11.0.0.1, 127.0.0.1', '10.0.0.9'],
  ],
)

/** Requests whose parts are told to policies: every field of theirs may meet one. */
export const randomRequests: fc.Arbitrary<RandomRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'PATCH', 'DELETE'),
    path: paths,
    host: fc.constantFrom(
      ...[
        'a.com',
        'a.com',
        'A.com',
        'x.a.com',
        'a.com:80',
        'a.com.',
        'b.com',
        '1.2.3.4',
        '[::1]',
        '[::1]:80',
        'X.A.COM:8080',
      ],
      ...['c.com', 'a.com.:80'],
    ),
    from: fc.constantFrom('127.0.0.1', '127.0.0.2', '127.0.0.3'),
    token: tokens,
    headers: fc.record(
      {
        'x-a': headerTexts,
        'X-B': headerTexts,
        'x-ext-authz': fc.constantFrom('allow', 'deny'),
        'x-forwarded-for': forwarded,
        'x-user': fc.constantFrom<string | string[]>('forged', '1', ['1', '2']),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ token, ...rest }) => (token === undefined ? rest : { ...rest, token }))
