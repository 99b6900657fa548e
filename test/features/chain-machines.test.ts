import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openDatabase } from '../../src/app/open-gatehouse.ts'
import { type RunningGatehouse, startGatehouse } from '../../src/app/start-gatehouse.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { systemRandom } from '../../src/kit/random.ts'
import { openRealmUsers } from '../../src/realm/users.ts'
import { freePort } from '../world/programs.ts'

const secret = 'kx2bD7Zs0mQxV1cTgPnE'
let gatehouse: RunningGatehouse
let origin: string

/** The example of docs/PROGRAMS.md, as it stands there, at a port that is free. */
beforeAll(async () => {
  const port = await freePort()
  origin = `http://localhost:${port}`
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-machines-'))
  const page = readFileSync(new URL('../../docs/PROGRAMS.md', import.meta.url), 'utf8')
  for (const [, block = ''] of page.matchAll(/```yaml\n([\s\S]*?)```/g)) {
    const name = /^# (\S+)\n/.exec(block)?.[1] ?? expect.fail('a block without a file name')
    // with a way for people to get a token of that client, which the example gives none
    const open = block.replace('standardFlowEnabled: false', 'directAccessGrantsEnabled: true')
    writeFileSync(join(directory, name), open.replaceAll('http://localhost:8080', origin))
  }
  vi.stubEnv('CI_SECRET', secret)
  gatehouse = await startGatehouse({
    port,
    dataDirectory: join(directory, 'state'),
    publicUrl: undefined,
    source: { kind: 'file', path: join(directory, 'gatehouse.yaml') },
    reset: false,
    logLevel: 'error',
  })
  const database = await openDatabase(join(gatehouse.dataDirectory, 'gatehouse.db'))
  const users = openRealmUsers({ database, clock: systemClock, random: systemRandom })
  await users.create('platform', { username: 'kay', email: 'kay@example.com', password: 'correct horse' })
  await database.destroy()
  vi.unstubAllEnvs()
})
afterAll(() => gatehouse.close())

async function tokenFor(fields: Record<string, string>): Promise<string> {
  const response = await fetch(`${origin}/auth/realms/platform/protocol/openid-connect/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`ci:${secret}`).toString('base64')}` },
    body: new URLSearchParams(fields),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

const echo = (token: string) =>
  fetch(`${origin}/echo/?format=json`, { headers: { authorization: `Bearer ${token}` }, redirect: 'manual' })

test('a service signs in by client credentials, and apps see its account', async () => {
  const answer = await echo(await tokenFor({ grant_type: 'client_credentials' }))
  expect([answer.status, ((await answer.json()) as { user: string }).user]).toEqual([200, 'service-account-ci'])
})

test('a person does not come in by the same way', async () => {
  const token = await tokenFor({ grant_type: 'password', username: 'kay', password: 'correct horse', scope: 'openid' })
  expect(token).toMatch(/^ey/)
  expect((await echo(token)).status).toBe(403)
})

test('neither does a token that was meant for somebody else', async () => {
  const token = await tokenFor({ grant_type: 'client_credentials' })
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const altered = Buffer.from(JSON.stringify({ ...claims, client_id: 'other' })).toString('base64url')
  expect((await echo(`${header}.${altered}.${signature}`)).status).toBe(401)
})
