import { afterEach, expect, test } from 'vitest'
import { type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

const grpc = { 'content-type': 'application/grpc+proto', te: 'trailers' }

async function refused(headers: Readonly<Record<string, string>>, path = '/notes.Notes/List') {
  world = await gatewayWorld({
    yaml: stockPolicies(),
    ask: () => ({ status: 401, headers: ['content-type', 'text/html', 'set-cookie', 'a=1'], body: 'sign in – 100%' }),
  })
  return await world.send('POST', path, headers, 'x')
}

test('a policy that refuses a gRPC call answers in gRPC: status 200, grpc-status 7', async () => {
  const bearer = await mint({ iss: 'http://dex.example/dex', email: 'ada@example.com' }) // no `sub`: no principal
  const { status, body, headers } = await refused({ ...grpc, authorization: `Bearer ${bearer}` })
  expect([status, body]).toEqual([200, ''])
  expect(headers).toMatchObject({
    'content-type': 'application/grpc',
    'grpc-status': '7',
    'grpc-message': 'RBAC: access denied',
  })
  expect(headers).toHaveProperty('x-request-id')
})

test('a token that is refused is grpc-status 16, with the challenge', async () => {
  const { status, headers } = await refused({ ...grpc, authorization: 'Bearer a.b.c' })
  expect(status).toBe(200)
  expect(headers).toMatchObject({ 'grpc-status': '16', 'www-authenticate': expect.stringContaining('invalid_token') })
})

test('a provider’s refusal keeps its headers; its text is percent-encoded', async () => {
  const { status, headers } = await refused(grpc)
  expect(status).toBe(200)
  expect(headers).toMatchObject({
    'content-type': 'application/grpc',
    'grpc-status': '16',
    'grpc-message': 'sign in %E2%80%93 100%25',
    'set-cookie': ['a=1'],
  })
})

test('gRPC-Web reads HTTP statuses', async () => {
  expect(await refused({ 'content-type': 'application/grpc-web+proto' })).toMatchObject({ status: 401 })
})
