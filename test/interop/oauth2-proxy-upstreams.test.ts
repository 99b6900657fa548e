import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Observation,
  observe,
  openUpstreamApp,
  type UpstreamApp,
  upstreamCases,
  writeUpstreamConfiguration,
} from '../compat/oauth2-proxy/upstreams.ts'
import { freePort } from '../world/programs.ts'
import { describeWith, goModuleVersion, type RunningProgram, startProgram } from './programs.ts'
import { isRecording } from './record-sessions.ts'

const recordingFile = new URL('../compat/oauth2-proxy/recorded-upstreams.json', import.meta.url)

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy/releases' }, (program) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-upstreams-'))
  const programs: RunningProgram[] = []
  let app: UpstreamApp
  let ports = { all: 0, few: 0 }

  async function start(isFew: boolean): Promise<number> {
    const port = await freePort()
    const args = writeUpstreamConfiguration(join(directory, String(port)), { proxy: port, app: app.port, isFew })
    programs.push(await startProgram(program, args, { port }))
    return port
  }

  beforeAll(async () => {
    app = await openUpstreamApp()
    ports = { all: await start(false), few: await start(true) }
  })
  afterAll(async () => {
    await Promise.all(programs.map((one) => one.stop()))
    await app?.close()
    rmSync(directory, { recursive: true })
  })

  test('every request reaches the app, or does not, and is answered as recorded', async () => {
    const observations: (Observation & { readonly what: string })[] = []
    for (const one of upstreamCases) observations.push({ what: one.what, ...(await observe(one, { ports, app })) })
    if (isRecording) {
      const version = goModuleVersion(program, 'github.com/oauth2-proxy/oauth2-proxy/v7') ?? 'unknown'
      writeFileSync(recordingFile, `${JSON.stringify({ program: `oauth2-proxy ${version}`, observations }, null, 2)}\n`)
    }
    expect(JSON.parse(readFileSync(recordingFile, 'utf8'))).toMatchObject({ observations })
  })
})
