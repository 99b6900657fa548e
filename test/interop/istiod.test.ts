/**
 * The corpus against a real Envoy with the very configuration istiod's own code makes of the same resources: nothing of
 * ours translates. `GATEHOUSE_RECORD=1` renews what `test/compat/istio` replays without either.
 */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, answerOf } from '../corpus/answer.ts'
import { type Apps, openApps } from '../corpus/apps.ts'
import { openLiveGateway, sendRow } from '../corpus/live-gateway.ts'
import { corpusForEnvoy, mintTokens, readCorpus, rowTitle } from '../corpus/read-corpus.ts'
import { withoutKnownDifferences } from '../corpus/recordings.ts'
import { findProgram } from '../world/programs.ts'
import { envoyVersion, findEnvoy, type RunningEnvoy, startIstiodEnvoy } from './envoy-process.ts'
import { istioVersion } from './pilot.ts'

const envoyPath = findEnvoy()
const pilotPath = findProgram('gatehouse-pilot')
const isThere = envoyPath !== undefined && pilotPath !== undefined
const title = isThere
  ? 'with Envoy as istiod configures it'
  : 'skipped: no Envoy or no `gatehouse-pilot` (docs/PROOF.md)'
if (!isThere) console.warn(title)

describe.skipIf(!isThere)(title, () => {
  const programs = { envoy: envoyPath ?? '', pilot: pilotPath ?? '' }
  const groups = readCorpus()
  // what our own translation can say is in test/compat/envoy
  const envoyRecords = new Set(corpusForEnvoy(groups))
  let apps: Apps
  let envoy: RunningEnvoy
  let tokens: ReadonlyMap<string, string>
  beforeAll(async () => {
    tokens = await mintTokens()
    apps = await openApps()
    envoy = await startIstiodEnvoy(programs, groups, apps)
  })
  afterAll(async () => {
    await envoy?.stop()
    await apps.close()
  })

  test.each(groups.map((group, at) => [`${group.topic}: ${group.name}`, group, at] as const))(
    '%s',
    async (name, group, at) => {
      const live = await openLiveGateway(group, apps)
      const wrong: unknown[] = []
      for (const row of group.rows) {
        const outcome = await sendRow(row, { port: envoy.ports[at] ?? 0, tokens })
        const theirs = answerOf(outcome, tokens)
        if (!envoyRecords.has(group)) recorded[`${name}: ${rowTitle(row)}`] = theirs
        const ours = answerOf(await sendRow(row, { port: live.port, tokens }), tokens)
        const isAsTold = outcome.status === row.status && (row.body === undefined || outcome.body === row.body)
        if (isAsTold && same(ours, theirs)) continue
        wrong.push({ row: rowTitle(row), theirs, ours: same(ours, theirs) ? 'the same' : ours })
      }
      await live.close()
      expect(wrong).toEqual([])
    },
  )

  const recorded: Record<string, Answer> = {}
  afterAll(() => {
    if (process.env['GATEHOUSE_RECORD'] !== '1') return
    const versions = { istio: istioVersion(programs.pilot), envoy: envoyVersion(programs.envoy) }
    const lines = Object.entries(recorded).map(([row, answer]) => `${JSON.stringify(row)}:${JSON.stringify(answer)}`)
    const text = `${JSON.stringify(versions).slice(0, -1)},"answers":{\n${lines.join(',\n')}\n}}`
    writeFileSync(new URL('../compat/istio/corpus.json', import.meta.url), `${text}\n`)
  })
})

function same(one: Answer, other: Answer): boolean {
  return JSON.stringify(withoutKnownDifferences(one)) === JSON.stringify(withoutKnownDifferences(other))
}
