import { afterEach, expect, test } from 'vitest'
import type { Part } from '../../src/http/part.ts'
import { type GatewayWorld, gatewayWorld, mint, stockPolicies } from './gateway-world.ts'

/** A part that tells the token it was given. */
const part: Part = { fetch: (request) => new Response(request.headers.get('authorization')) }
const token = await mint({ iss: 'https://id.example/realms/platform', sub: 'ada', exp: Date.UTC(2026, 0, 2) / 1000 })
const bearer = { authorization: `Bearer ${token}` }

let world: GatewayWorld | undefined
afterEach(() => world?.close())

async function open(options: { mode?: 'istio' | 'native'; verifiesTokens: boolean }) {
  const { verifiesTokens, mode = 'native' } = options
  const resolveUpstream = () => ({ kind: 'part' as const, part, verifiesTokens })
  world = await gatewayWorld({ yaml: stockPolicies(), mode, resolveUpstream })
  return world
}

test('a part that verifies tokens itself is reached with one no RequestAuthentication knows', async () => {
  const { send } = await open({ verifiesTokens: true })
  expect(await send('GET', '/dex/userinfo', bearer)).toMatchObject({ status: 200, body: `Bearer ${token}` })
})

test('such a token opens no path that needs one', async () => {
  const { send } = await open({ verifiesTokens: true })
  expect(await send('GET', '/jupyter/', bearer)).toMatchObject({ status: 403, body: 'RBAC: access denied' })
})

test.each([
  { mode: 'native', verifiesTokens: false },
  { mode: 'istio', verifiesTokens: true },
] as const)('elsewhere, and in Istio, it is refused: %o', async (options) => {
  const { send } = await open(options)
  const refused = { status: 401, body: 'Jwt issuer is not configured' }
  expect(await send('GET', '/dex/userinfo', bearer)).toMatchObject(refused)
})
