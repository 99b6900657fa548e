import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ProgramWorld, programWorld } from '../../features/oauth2-proxy-world.ts'
import {
  type Observation,
  observe,
  openUpstreamApp,
  type UpstreamApp,
  upstreamCases,
  writeUpstreamConfiguration,
} from './upstreams.ts'

const recordings: ReadonlyMap<string, Observation> = new Map(
  // written by test/interop/oauth2-proxy-upstreams.test.ts
  (
    JSON.parse(readFileSync(new URL('recorded-upstreams.json', import.meta.url), 'utf8')) as {
      readonly observations: readonly (Observation & { readonly what: string })[]
    }
  ).observations.map(({ what, ...observation }) => [what, observation]),
)

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-upstreams-'))
const worlds: ProgramWorld[] = []
let app: UpstreamApp
let ports = { all: 0, few: 0 }

async function start(isFew: boolean): Promise<number> {
  const home = join(directory, String(isFew))
  const world = await programWorld([], {
    directory: home,
    plain: writeUpstreamConfiguration(home, { proxy: 0, app: app.port, isFew }),
  })
  worlds.push(world)
  return world.running.ports.plain ?? 0
}

beforeAll(async () => {
  app = await openUpstreamApp()
  ports = { all: await start(false), few: await start(true) }
})
afterAll(async () => {
  for (const { running } of worlds) await running.close()
  await app?.close()
  rmSync(directory, { recursive: true })
})

test.each(upstreamCases.map((one) => [one.what, one] as const))('%s: as oauth2-proxy has it', async (what, one) => {
  expect(await observe(one, { ports, app })).toEqual({ ...recordings.get(what), ...one.ours })
})
