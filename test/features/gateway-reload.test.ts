import { afterEach, expect, test } from 'vitest'
import { parseGatewayConfig } from '../../src/gateway/config.ts'
import { Problems } from '../../src/kit/problems.ts'
import { catchAllRoute, dexIssuer, documents, type GatewayWorld, gatewayWorld, keySet, mint } from './gateway-world.ts'

let world: GatewayWorld | undefined
afterEach(() => world?.close())

const parse = (yaml: string) => parseGatewayConfig(documents(yaml), new Problems())

const denyAll = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny, namespace: istio-system }
spec: { action: DENY, rules: [{}] }`

const authentication = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: dex, namespace: istio-system }
spec: { jwtRules: [{ issuer: "${dexIssuer}", jwksUri: "${dexIssuer}/keys" }] }`

test('a reload holds from the next request on', async () => {
  world = await gatewayWorld({ yaml: catchAllRoute })
  expect((await world.send('GET', '/')).status).toBe(200)
  world.gateway.reload(parse(`${catchAllRoute}\n---\n${denyAll}`))
  expect((await world.send('GET', '/')).status).toBe(403)
  world.gateway.reload(parse(catchAllRoute))
  expect((await world.send('GET', '/')).status).toBe(200)
})

test('a request under way ends under the policies it began with', async () => {
  let answer = (): void => {}
  const asked = new Promise<void>((resolve) => {
    answer = resolve
  })
  const custom = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: istio-system }
spec: { action: CUSTOM, provider: { name: oauth2-proxy }, rules: [{}] }`
  const gateway = await gatewayWorld({
    yaml: `${catchAllRoute}\n---\n${custom}`,
    async ask() {
      gateway.gateway.reload(parse(denyAll))
      answer()
      return { status: 200, headers: [], body: '' }
    },
  })
  world = gateway
  const reply = gateway.send('GET', '/')
  await asked
  expect((await reply).status).toBe(200)
  expect((await gateway.send('GET', '/')).status).toBe(403)
})

test('keys that were fetched are kept, even where their issuer is down', async () => {
  let isUp = true
  const yaml = `${catchAllRoute}\n---\n${authentication}`
  world = await gatewayWorld({
    yaml,
    fetch: async () => (isUp ? Response.json(keySet) : Promise.reject(new TypeError('down'))),
  })
  const authorization = `Bearer ${await mint({ iss: dexIssuer, sub: 'ada' })}`
  expect((await world.send('GET', '/', { authorization })).status).toBe(200)
  isUp = false
  world.gateway.reload(parse(yaml))
  expect((await world.send('GET', '/', { authorization })).status).toBe(200)
})
