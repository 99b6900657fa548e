import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type ChainSource, planChain } from '../../src/app/plan-chain.ts'
import { type RunningGatehouse, startGatehouse } from '../../src/app/start-gatehouse.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { runGatehouse } from '../world/command.ts'

const closing: RunningGatehouse[] = []
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close()
})

const newDirectory = () => mkdtempSync(join(tmpdir(), 'gatehouse-mode-'))

/** What a script's request with some app's own credentials is answered. */
async function answerTo(source: ChainSource, gatewayMode?: 'native' | 'istio'): Promise<[number, string]> {
  const running = await startGatehouse({
    ...{ source, port: 0, dataDirectory: newDirectory(), publicUrl: undefined },
    ...{ gatewayMode, reset: false, logLevel: 'error' },
  })
  closing.push(running)
  const headers = { authorization: 'Basic eDp5' }
  const response = await fetch(`${running.publicUrl}/echo/`, { headers, redirect: 'manual' })
  return [response.status, await response.text()]
}

test('in istio mode a foreign Authorization skips the sign-in, as it does in a mesh', async () => {
  expect(await answerTo({ kind: 'default' }, 'istio')).toEqual([403, 'RBAC: access denied'])
  expect((await answerTo({ kind: 'default' }))[0]).toBe(401) // asked to sign in
})

test('a gatehouse.yaml says its mode itself', () => {
  const path = join(newDirectory(), 'gatehouse.yaml')
  writeFileSync(path, 'publicUrl: http://localhost:8080\ngateway: { mode: istio }\n')
  const plan = planChain(
    { kind: 'file', path },
    { dataDirectory: '', publicUrl: undefined, reset: false, random: systemRandom },
  )
  expect(plan.chainAt('http://localhost:8080').chain.gatewayMode).toBe('istio')
})

test('explain goes by the mode of the files, unless told another', async () => {
  const path = join(newDirectory(), 'gatehouse.yaml')
  writeFileSync(
    path,
    'publicUrl: http://localhost:8080\ngateway: { mode: istio }\napps: [{ name: echo, prefix: /echo/, host: echo }]\n',
  )
  const verdict = async (...more: string[]) => {
    const running = runGatehouse(
      'explain',
      'GET',
      '/echo/',
      '-f',
      path,
      '-H',
      'authorization: Basic eDp5',
      '--json',
      ...more,
    )
    await running.ended()
    return (JSON.parse(running.text()) as { verdict: { status: number } }).verdict.status
  }
  expect(await verdict()).toBe(403)
  expect(await verdict('--mode', 'native')).not.toBe(403)
})

test('an unknown mode is refused before anything starts', async () => {
  const running = runGatehouse('up', '--mode', 'envoy')
  expect(await running.ended()).toBe(2)
  expect(running.text()).toContain('--mode must be native or istio, got `envoy`')
})
