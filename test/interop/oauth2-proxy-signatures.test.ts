import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type RecordedSignatures, sendToSign, signedCases, signingFlags } from '../compat/oauth2-proxy/signatures.ts'
import { openApp } from '../features/oauth2-proxy-upstreams-world.ts'
import { flagsWithout } from '../features/oauth2-proxy-world.ts'
import { freePort } from '../world/programs.ts'
import { describeWith, goModuleVersion, startProgram } from './programs.ts'
import { isRecording } from './record-sessions.ts'

const recordingFile = new URL('../compat/oauth2-proxy/recorded-signatures.json', import.meta.url)

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy/releases' }, (program) => {
  test('signs requests for its upstreams as recorded', async () => {
    const app = await openApp()
    const port = await freePort()
    const plain = flagsWithout('upstream').filter((flag) => !flag.startsWith('--http-address'))
    const flags = [`--http-address=127.0.0.1:${port}`, `--upstream=http://127.0.0.1:${app.port}`, ...signingFlags]
    const provider = [
      '--skip-oidc-discovery',
      '--login-url=http://127.0.0.1:1/auth',
      '--redeem-url=http://127.0.0.1:1/token',
    ]
    const keys = '--oidc-jwks-url=http://127.0.0.1:1/keys'
    const running = await startProgram(program, [...plain, ...provider, keys, ...flags], { port })
    for (const one of signedCases) await sendToSign(port, one)
    await running.stop()
    await app.close()
    const signatures = app.heard.map(({ headers }) => String(headers['gap-signature']))
    const version = goModuleVersion(program, 'github.com/oauth2-proxy/oauth2-proxy/v7') ?? 'unknown'
    const recorded: RecordedSignatures = { program: `oauth2-proxy ${version}`, signatures }
    if (isRecording) writeFileSync(recordingFile, `${JSON.stringify(recorded, null, 2)}\n`)
    expect(JSON.parse(readFileSync(recordingFile, 'utf8'))).toMatchObject({ signatures })
  })
})
