import { existsSync, rmSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { type App, cookieOf, openApp, upstreamWorld } from './oauth2-proxy-upstreams-world.ts'
import type { ProgramWorld } from './oauth2-proxy-world.ts'

const open: { readonly worlds: ProgramWorld[]; readonly apps: App[] } = { worlds: [], apps: [] }
afterEach(async () => {
  for (const world of open.worlds.splice(0)) {
    await world.running.close()
    if (existsSync(world.directory)) rmSync(world.directory, { recursive: true })
  }
  for (const app of open.apps.splice(0)) await app.close()
})

async function started({ flags = [] as readonly string[] } = {}) {
  const app = await openApp()
  open.apps.push(app)
  const world = await upstreamWorld([`http://127.0.0.1:${app.port}`], flags)
  open.worlds.push(world)
  return { ...world, app }
}

test('who is signed in reaches the app, which knows who it is', async () => {
  const { ask, app } = await started()
  const answer = await ask('/notes?a=1', { headers: { cookie: `${cookieOf()}; theme=dark`, host: 'app.example' } })
  expect(answer).toMatchObject({ status: 200, text: 'ok', headers: { 'gap-auth': 'ada@example.com' } })
  expect(app.heard).toEqual([
    {
      method: 'GET',
      url: '/notes?a=1',
      body: '',
      headers: {
        host: 'app.example',
        connection: 'keep-alive',
        cookie: 'theme=dark',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': 'app.example',
        'x-forwarded-proto': 'http',
        'x-forwarded-user': 'u-1',
        'x-forwarded-email': 'ada@example.com',
        'x-forwarded-groups': 'math,engines',
        'x-forwarded-preferred-username': 'ada',
      },
    },
  ])
})

test('who is not signed in does not reach the app', async () => {
  const { ask, app } = await started()
  expect((await ask('/notes')).status).toBe(403)
  expect(app.heard).toEqual([])
})
