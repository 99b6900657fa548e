/**
 * What a real Envoy answered that istiod's own code had configured (`test/interop/istiod.test.ts` records it), replayed
 * against our gateway without either.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, answerOf } from '../../corpus/answer.ts'
import { type Apps, openApps } from '../../corpus/apps.ts'
import { openLiveGateway, sendRow } from '../../corpus/live-gateway.ts'
import { corpusForEnvoy, mintTokens, readCorpus, rowTitle } from '../../corpus/read-corpus.ts'
import { withoutKnownDifferences } from '../../corpus/recordings.ts'

interface Recording {
  readonly istio: string
  readonly envoy: string
  readonly answers: Readonly<Record<string, Answer>>
}

// written by the recording run
const { istio, envoy, answers } = JSON.parse(
  readFileSync(new URL('corpus.json', import.meta.url), 'utf8'),
) as Recording
const all = readCorpus()
const elsewhere = new Set(corpusForEnvoy(all))
const groups = all.filter((group) => !elsewhere.has(group))

let tokens: ReadonlyMap<string, string>
let apps: Apps
beforeAll(async () => {
  tokens = await mintTokens()
  apps = await openApps()
})
afterAll(() => apps.close())

describe(`as Envoy ${envoy} answered, configured by istiod ${istio}`, () => {
  test.each(groups.map((group) => [`${group.topic}: ${group.name}`, group] as const))('%s', async (name, group) => {
    const live = await openLiveGateway(group, apps)
    for (const row of group.rows) {
      const recorded = answers[`${name}: ${rowTitle(row)}`]
      if (!recorded) throw new Error(`${rowTitle(row)} is not recorded: run GATEHOUSE_RECORD=1 npm run test:interop`)
      const ours = answerOf(await sendRow(row, { port: live.port, tokens }), tokens)
      expect(withoutKnownDifferences(ours), rowTitle(row)).toEqual(withoutKnownDifferences(recorded))
    }
    await live.close()
  })
})
