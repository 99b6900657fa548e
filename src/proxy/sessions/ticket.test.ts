import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../../../test/world/random.ts'
import type { Session } from '../session.ts'
import { formatTicket, newTicket, openUnderTicket, parseTicket, sealUnderTicket } from './ticket.ts'

const name = 'oauth2_proxy_kubeflow'
const random = seededRandom()
const session: Session = { createdAt: 1_700_000_000_000, email: 'ada@example.com', groups: ['ml'] }

test('a ticket is read as it was written', () => {
  const ticket = newTicket(name, random)
  expect(ticket.id).toMatch(/^oauth2_proxy_kubeflow-[0-9a-f]{32}$/)
  expect(formatTicket(ticket)).toMatch(/^v2\.[\w-]+\.[\w-]{22}$/)
  expect(parseTicket(formatTicket(ticket), name)).toEqual(ticket)
})

test('a ticket of an older oauth2-proxy, `id.secret`, is read', () => {
  const { id, secret } = newTicket(name, random)
  expect(parseTicket(`${id}.${secret.toString('base64url')}`, name)).toEqual({ id, secret })
})

test('nothing but a ticket of this cookie is one', () => {
  const { id, secret } = newTicket(name, random)
  const [encodedId, encoded] = [Buffer.from(id).toString('base64url'), secret.toString('base64url')]
  const wrong = [
    '',
    id,
    `${id}.`,
    `v1.${encodedId}.${encoded}`,
    `v2.${encodedId}.${encoded}.`,
    `v2.${id}.${encoded}`,
    `v2.${encodedId}.${encoded}=`,
    `v2.${encodedId}.${secret.toString('hex')}`,
    `v2.${encodedId}.${encoded.slice(1)}`,
    `other-${id.slice(-32)}.${encoded}`,
    `${name}-healthcheck-${id.slice(-32)}.${encoded}`,
    `${id.toUpperCase()}.${encoded}`,
  ]
  expect(wrong.map((text) => parseTicket(text, name))).toEqual(wrong.map(() => undefined))
})

test('any text is a ticket in its one spelling, or none', () => {
  const spelling = fc.oneof(fc.string(), fc.stringMatching(/^v2\.[\w-]{1,80}\.[\w-]{22}$/), fc.constant(''))
  fc.assert(
    fc.property(spelling, (text) => {
      const ticket = parseTicket(text, name)
      if (ticket) expect([formatTicket(ticket), `${ticket.id}.${ticket.secret.toString('base64url')}`]).toContain(text)
    }),
  )
})

test('what is kept is read with its ticket only, whole only', () => {
  const ticket = newTicket(name, random)
  const sealed = sealUnderTicket(session, ticket, random)
  expect(openUnderTicket(sealed, ticket)).toEqual(session)
  expect(openUnderTicket(sealed, newTicket(name, random))).toBeUndefined()
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = Buffer.from(sealed)
      altered.writeUInt8(altered.readUInt8(at) ^ change, at)
      expect(openUnderTicket(altered, ticket)).toBeUndefined()
      expect(openUnderTicket(sealed.subarray(0, at), ticket)).toBeUndefined()
    }),
  )
})
