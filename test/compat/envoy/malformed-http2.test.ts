import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { exchangeFrames } from '../../corpus/http2-frames.ts'
import { malformedHttp2 } from '../../corpus/malformed-http2.ts'
import { catchAllRoute, type GatewayWorld, gatewayWorld } from '../../features/gateway-world.ts'
import { type ListenerWorld, listenerWorld } from '../../features/listener-world.ts'

const { answers }: { answers: Record<string, string> } = JSON.parse(
  readFileSync(new URL('malformed-http2.json', import.meta.url), 'utf8'),
)
let world: GatewayWorld
let listener: ListenerWorld
beforeAll(async () => {
  world = await gatewayWorld({ yaml: catchAllRoute })
  listener = await listenerWorld({ handler: world.gateway })
})
afterAll(async () => {
  await listener.close()
  await world.close()
})

describe('HTTP/2 requests Envoy refuses are refused, and what it serves is served', () => {
  test.each(malformedHttp2)('$name', async ({ name, bytes, ours }) => {
    const before = world.seen.length
    const answer = await exchangeFrames(bytes, { port: listener.port })
    const isServed = answer === 'status 200'
    expect({ answer, isServed }).toEqual({ answer, isServed: ours?.isServed ?? answers[name] === 'status 200' })
    const reached = world.seen.slice(before)
    expect(reached).toHaveLength(isServed ? 1 : 0)
    if (ours?.isServed) expect(JSON.stringify(reached)).not.toMatch(/x.?a"|b[\\\0]/)
  })
})
