import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { closeAll, keep, openApp, upstreamWorld } from '../../features/oauth2-proxy-upstreams-world.ts'
import { type RecordedSignatures, sendToSign, signedCases, signingFlags } from './signatures.ts'

const recordingFile = new URL('recorded-signatures.json', import.meta.url)
const { signatures } = JSON.parse(readFileSync(recordingFile, 'utf8')) as RecordedSignatures

afterEach(closeAll)

test.each(signedCases.map((one, at) => ({ ...one, signature: signatures[at] })))(
  'an upstream sees signed as by oauth2-proxy: $what',
  async ({ signature, ...one }) => {
    const app = keep(await openApp())
    const { running } = keep(await upstreamWorld([`http://127.0.0.1:${app.port}`], signingFlags))
    await sendToSign(running.ports.plain ?? 0, one)
    expect(app.heard.map(({ headers }) => headers['gap-signature'])).toEqual([signature])
    expect(app.heard[0]?.body).toBe((one.body ?? []).join(''))
  },
)
