import fc from 'fast-check'
import { tokenTable } from './read-corpus.ts'

const header = (name: string, prefix?: string) => (prefix === undefined ? { name } : { name, prefix })
const fromHeaders = fc.uniqueArray(
  fc.constantFrom(
    header('x-token'),
    header('X-Token', 'Tok '),
    header('Authorization', 'Bearer '),
    header('authorization', 'bearer '),
    header('authorization'),
    header('x-a', 'Bearer'),
  ),
  { minLength: 1, maxLength: 2 },
)
const names = (...some: readonly string[]) => fc.uniqueArray(fc.constantFrom(...some), { minLength: 1, maxLength: 2 })
const claims = [
  ...['sub', 'groups', 'nested.key1', 'nested.nested-2.key2', 'whole', 'negative', 'fraction', 'yes', 'no', 'list'],
  ...['object', 'nothing', 'empty', 'missing', 'aud', 'exp', 'groups.0', 'a.b', 'a.b.c', 'scope', 'object.k', 'text.x'],
  ...['test-issuer-1@istio.io/role.name', 'numbers', 'iss', 'custom_scope'],
] as const
const outputs = fc.uniqueArray(
  fc.record({ header: fc.constantFrom('x-user', 'X-Groups', 'x-a', 'x-c', 'x-d'), claim: fc.constantFrom(...claims) }),
  { minLength: 1, maxLength: 3, selector: (one) => one.header },
)

const rule = fc
  .record(
    {
      issuer: fc.constantFrom(
        ...[
          'issuer-1@example.com',
          'issuer-1@example.com',
          'issuer-2@example.com',
          'https://issuer-3.example.com/realms/x',
        ],
      ),
      audiences: names('foo', 'http://foo/', 'https://buzz', 'bar'),
      fromHeaders,
      fromParams: names('access_token', 'tok', 'q'),
      fromCookies: names('tok', 'session'),
      outputPayloadToHeader: fc.constantFrom('x-payload', 'x-user'),
      outputClaimToHeaders: outputs,
      forwardOriginalToken: fc.boolean(),
      spaceDelimitedClaims: names('custom_scope', 'sub'),
    },
    { requiredKeys: ['issuer'] },
  )
  // most rules look in the usual places, so that most tokens are found
  .chain((all) => {
    const { fromHeaders: h, fromParams: p, fromCookies: c, audiences, ...rest } = all
    const places = fc.constantFrom({}, {}, { fromHeaders: h }, { fromParams: p }, { fromHeaders: h, fromCookies: c })
    const who = audiences === undefined ? fc.constant({}) : fc.constantFrom({}, {}, { audiences })
    return fc.tuple(places, who).map(([one, other]) => ({ ...rest, jwks: 'KEYS', ...defined(one), ...defined(other) }))
  })

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** RequestAuthentications of a workload: several rules, of one issuer too, with every field. */
export const authentications = fc
  .uniqueArray(
    fc.record({ name: fc.constantFrom('t', 'u'), jwtRules: fc.array(rule, { minLength: 1, maxLength: 3 }) }),
    { maxLength: 2, selector: ({ name }) => name },
  )
  .map((all) =>
    all.map(({ name, jwtRules }) => ({
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name, namespace: 'istio-system' },
      spec: { jwtRules },
    })),
  )

const good = ['issuer-1', 'issuer-1-auds', 'issuer-1-kinds', 'issuer-2', 'issuer-2-scope', 'issuer-3'] as const
const minted = fc
  .oneof(fc.constantFrom(...good), fc.constantFrom(...Object.keys(tokenTable)))
  .map((name) => `{token:${name}}`)

/** Headers that hold tokens in the places rules look, and in some they do not. */
export const tokenHeaders = fc.record(
  {
    'x-token': fc.oneof(
      minted,
      minted.map((one) => `Tok ${one}`),
      minted.map((one) => `a Tok ${one} b`),
    ),
    authorization: fc.oneof(
      minted.map((one) => `Bearer ${one}`),
      minted.map((one) => `bearer ${one}`),
      minted.map((one) => `Basic x, Bearer ${one}`),
      minted.map((one) => `Bearer  ${one}`),
      minted.map((one) => `Bearer ${one}==`),
      minted.map((one) => `Bearer ${one}=`),
      minted.map((one) => `Bearer .${one}.`),
      minted,
      fc.constantFrom<string | string[]>('', 'Basic eDp5', 'Bearer', 'Bearer ', 'Bearer ,', 'Bearer a.b.c'),
      fc.tuple(minted, minted).map(([one, other]) => [`Bearer ${one}`, `Bearer ${other}`]),
      minted.map((one) => ['', `Bearer ${one}`]),
    ),
    cookie: fc.oneof(
      minted.map((one) => `tok=${one}`),
      minted.map((one) => `a=1; session="${one}"; b`),
      fc.tuple(minted, minted).map(([one, other]) => `tok=${one};session=${other}`),
      fc.tuple(minted, minted).map(([one, other]) => [`tok=${one}`, `tok=${other}`]),
      fc.constantFrom('tok=', 'tok', 'x=1'),
    ),
    origin: fc.constantFrom('https://a.com', 'null', ''),
    'access-control-request-method': fc.constantFrom('GET', ''),
    'x-payload': fc.constant('forged'),
    'x-groups': fc.constant('forged'),
    'x-c': fc.constantFrom<string | string[]>('forged', ['1', '2']),
  },
  { requiredKeys: [] },
)

/** Queries with tokens. */
export const tokenQueries = fc.oneof(
  fc.constantFrom('', '', '', '', '?q=1', '?tok', '?tok=&x', '?access_token=junk'),
  minted.map((one) => `?access_token=${one}&a=%41b`),
  minted.map((one) => `?a&tok=${one}&b=c+d&&`),
  fc.tuple(minted, minted).map(([one, other]) => `?tok=${one}&tok=${other}`),
  minted.map((one) => `?t%6fk=${one}`),
)
