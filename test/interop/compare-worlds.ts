import { type Answer, answerOf } from '../corpus/answer.ts'
import type { Apps } from '../corpus/apps.ts'
import { openLiveGateway, sendRow } from '../corpus/live-gateway.ts'
import type { RandomRequest, RandomWorld } from '../corpus/random-worlds.ts'
import { withoutKnownDifferences } from '../corpus/recordings.ts'
import { startIstiodEnvoy } from './envoy-process.ts'

/** A request that our gateway answers otherwise than Envoy does with istiod's configuration. */
export interface Disagreement {
  readonly world: RandomWorld
  readonly request: RandomRequest
  readonly theirs: Answer
  readonly ours: Answer
}

/** What worlds are compared with. */
export interface Peers {
  readonly programs: { readonly envoy: string; readonly pilot: string }
  readonly apps: Apps
  readonly tokens: ReadonlyMap<string, string>
}

/** Sends every request of every world to one Envoy and to our gateway; again where somebody took a port before Envoy did. */
export async function compareWorlds(worlds: readonly RandomWorld[], peers: Peers): Promise<readonly Disagreement[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await compareOnce(worlds, peers)
    } catch (error) {
      if (tries === 5 || !/cannot bind|ECONNREFUSED/.test(String(error))) throw error
    }
  }
}

async function compareOnce(worlds: readonly RandomWorld[], peers: Peers): Promise<readonly Disagreement[]> {
  const { programs, apps, tokens } = peers
  const groups = worlds.map((world) => ({ severalProviders: false, ...world }))
  const ask = async (request: RandomRequest, port: number) => {
    const answer = answerOf(await sendRow({ ...request, token: request.token }, { port, tokens }), tokens)
    const text = JSON.stringify(withoutKnownDifferences(answer)).replaceAll(`:${port}`, ':PORT')
    return JSON.parse(text) as Answer
  }
  const envoy = await startIstiodEnvoy(programs, groups, apps)
  const found: Disagreement[] = []
  try {
    for (const [at, world] of worlds.entries()) {
      const live = await openLiveGateway(world, apps)
      for (const request of world.requests) {
        const [theirs, ours] = [await ask(request, envoy.ports[at] ?? 0), await ask(request, live.port)]
        if (JSON.stringify(ours) !== JSON.stringify(theirs)) found.push({ world, request, theirs, ours })
      }
      await live.close()
    }
  } finally {
    await envoy.stop()
  }
  return found
}
