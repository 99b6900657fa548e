/** What explain says of a request is what a gateway does with it: for any policies, tokens and routes. */
import process from 'node:process'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWalker } from '../../src/app/explain-walk.ts'
import { verdictOf } from '../../src/insight/explain/verdict.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { type Apps, openApps } from '../corpus/apps.ts'
import { configOf, openLiveGateway, sendRow } from '../corpus/live-gateway.ts'
import { tokenWorlds } from '../corpus/random-gateways.ts'
import { virtualServices } from '../corpus/random-routes.ts'
import type { RandomRequest, RandomWorld } from '../corpus/random-worlds.ts'
import { mintTokens, withTokens } from '../corpus/read-corpus.ts'
import { seededRandom } from '../world/random.ts'
import { stock } from './explain-world.ts'

let apps: Apps
let tokens: ReadonlyMap<string, string>
beforeAll(async () => {
  apps = await openApps()
  tokens = await mintTokens()
})
afterAll(() => apps.close())

/** Of what only the running chain knows, a provider's answer and whether an app is up, there is nothing in them. */
const worlds = fc
  .tuple(tokenWorlds, fc.option(virtualServices, { nil: [] }))
  .map(([{ resources, ...world }, routes]): RandomWorld => {
    const policies = resources.filter((one) => (one['spec'] as { action?: string }).action !== 'CUSTOM')
    const text = JSON.stringify([...policies, ...routes]).replaceAll('"down"', '"app"')
    return { ...world, resources: JSON.parse(text) as RandomWorld['resources'] }
  })

test('the verdict is the answer of the gateway', async () => {
  const numRuns = Number(process.env['GATEHOUSE_WORLDS'] ?? 24)
  const seed = Number(process.env['GATEHOUSE_SEED'] ?? 20_26)
  const seen = new Set<number>()
  for (const world of fc.sample(worlds, { seed, numRuns }).filter(loads)) {
    const live = await openLiveGateway(world, apps)
    const { proxy: _, ...others } = stock
    const chain = { ...others, gateway: configOf(world) }
    const walker = await openWalker({ chain, mode: 'istio', clock: systemClock, random: seededRandom() })
    // what reads a path as a URL takes `\\` for `/`: the app that notes what explain sends refuses one that was not normalised
    for (const request of world.requests.filter(({ path }) => !path.includes('\\')).slice(0, 8)) {
      const { status, reply, received } = await sendRow(
        { ...request, token: request.token },
        { port: live.port, tokens },
      )
      const situation = { gateway: chain.gateway, proxy: undefined, request: asked(request) }
      const verdict = verdictOf(await walker.walk(situation))
      const what = JSON.stringify({ resources: world.resources, mesh: world.mesh, request })
      const body = received === undefined && request.method !== 'HEAD' ? reply.body : ''
      expect({ status: verdict.status, body: verdict.body ?? '' }, what).toEqual({ status, body })
      seen.add(status)
    }
    await walker.close()
    await live.close()
  }
  expect([...seen]).toEqual(expect.arrayContaining([200, 401, 403, 404]))
})

function asked({ method, path, host, headers, token, from }: RandomRequest) {
  const bearer = token === undefined ? [] : [['authorization', withTokens(`Bearer {token:${token}}`, tokens)] as const]
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((line) => [name, withTokens(line, tokens)] as const),
  )
  return {
    method,
    target: withTokens(path, tokens),
    host,
    headers: [...bearer, ...lines],
    peerAddress: from,
    identity: undefined,
  }
}

/** Some routes of the generator contradict themselves, and are refused. */
function loads(world: RandomWorld): boolean {
  try {
    configOf(world)
    return true
  } catch {
    return false
  }
}
