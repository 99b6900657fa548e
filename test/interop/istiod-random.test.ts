/**
 * Random policies, tokens and routes against a real Envoy as istiod configures it. `GATEHOUSE_WORLDS=1000` makes so many
 * of each kind, `GATEHOUSE_SEED` others than the usual ones. What it finds goes into `test/corpus/findings.yaml`.
 */
import process from 'node:process'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApps } from '../corpus/apps.ts'
import { configOf } from '../corpus/live-gateway.ts'
import { gatewayWorlds, tokenWorlds } from '../corpus/random-gateways.ts'
import { routeWorlds } from '../corpus/random-routes.ts'
import { type RandomWorld, worlds } from '../corpus/random-worlds.ts'
import { mintTokens } from '../corpus/read-corpus.ts'
import { findProgram } from '../world/programs.ts'
import { compareWorlds, type Peers } from './compare-worlds.ts'
import { findEnvoy } from './envoy-process.ts'
import { askPilot, questionOf } from './pilot.ts'

const envoy = findEnvoy()
const pilot = findProgram('gatehouse-pilot')
const isThere = envoy !== undefined && pilot !== undefined
const title = isThere
  ? 'with Envoy as istiod configures it'
  : 'skipped: no Envoy or no `gatehouse-pilot` (docs/PROOF.md)'
if (!isThere) console.warn(title)

const numRuns = Number(process.env['GATEHOUSE_WORLDS'] ?? 40)
const seed = Number(process.env['GATEHOUSE_SEED'] ?? 20_26)
/** How many listeners one Envoy is given. */
const atOnce = 100

describe.skipIf(!isThere)(title, () => {
  const programs = { envoy: envoy ?? '', pilot: pilot ?? '' }
  let peers: Peers
  beforeAll(async () => {
    peers = { programs, apps: await openApps(), tokens: await mintTokens() }
  })
  afterAll(() => peers.apps.close())

  const kinds = { policies: worlds, tokens: tokenWorlds, routes: routeWorlds, 'everything at once': gatewayWorlds }
  test.each(Object.entries(kinds))(
    'random %s: both accept the same, and answer alike',
    async (_, kind) => {
      // as JSON, so that nothing is there that a file could not say
      const sampled = JSON.parse(JSON.stringify(fc.sample(kind, { seed, numRuns }))) as RandomWorld[]
      const accepted = acceptedOf(sampled, programs.pilot)
      expect(accepted.length).toBeGreaterThan(numRuns / 2)
      for (let at = 0; at < accepted.length; at += atOnce) {
        expect(await compareWorlds(accepted.slice(at, at + atOnce), peers)).toEqual([])
      }
    },
    3_600_000,
  )
})

/** The worlds istiod takes; we must take the same. */
function acceptedOf(sampled: readonly RandomWorld[], path: string): readonly RandomWorld[] {
  const questions = sampled.map((world) => questionOf({ severalProviders: false, ...world }, 8080))
  const answers = askPilot(
    path,
    questions.map((question) => ({ ...question, onlyValidate: true })),
  )
  return sampled.filter((world, at) => {
    const refusals = answers[at]?.refusals.filter((text) => text !== '') ?? []
    const problem = problemOf(world)
    const what = JSON.stringify({ refusals, problem, resources: world.resources })
    expect(problem !== undefined, what).toBe(refusals.length > 0)
    return problem === undefined
  })
}

function problemOf(world: RandomWorld): string | undefined {
  try {
    configOf(world)
    return undefined
  } catch (error) {
    return String(error)
  }
}
