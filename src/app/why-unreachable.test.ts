import { expect, test } from 'vitest'
import { whyUnreachable } from './why-unreachable.ts'

/** What `fetch` throws. */
const failed = (code: string) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('told by Node'), { code }) })

test.each([
  ['ECONNREFUSED', ' (nothing listens there)'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', ' (it does not speak TLS; write http://)'],
  ['ECONNRESET', ' (ECONNRESET)'],
])('an address that fails with %s is told why', (code, words) => {
  expect(whyUnreachable(failed(code))).toBe(words)
})

test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'])(
  'a certificate refused with %s is told what would do',
  (code) => {
    expect(whyUnreachable(failed(code))).toContain('NODE_EXTRA_CA_CERTS')
  },
)

test('what names no cause is told as it is, or not at all', () => {
  expect(whyUnreachable(new TypeError('bad port'))).toBe(' (bad port)')
  expect(whyUnreachable('odd')).toBe('')
})
