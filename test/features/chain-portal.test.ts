import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'

let gatehouse: TestGatehouse | undefined
afterEach(async () => {
  await gatehouse?.close()
})

const tiles = (text: string) => [...text.matchAll(/class="app-card">[\s\S]*?href="([^"]+)"/g)].map(([, href]) => href)

test('the portal of the default chain lists the two demo apps', async () => {
  gatehouse = await testGatehouse()
  const client = httpClient()
  const login = await client.follow(`${gatehouse.publicUrl}/`)
  const { text } = await client.submit(login, { username: 'ada', password: gatehouse.passwordOf('ada') })
  expect(tiles(text)).toEqual(['/echo/', '/notes/'])
})

test('the portal of a platform lists what its VirtualServices give a path, and neither parts nor APIs', async () => {
  gatehouse = await testGatehouse({ from: fileURLToPath(new URL('../fixtures/kubeflow/stock', import.meta.url)) })
  const client = httpClient()
  const page = await client.follow(`${gatehouse.publicUrl}/oauth2/start?rd=/`)
  const { text } = await client.submit(page, { login: 'user@example.com', password: '12341234' })
  expect(tiles(text)).toEqual(['/echo/', '/jupyter/'])
})

test('a way back may be written as a whole URL of the platform, and of nobody else', async () => {
  gatehouse = await testGatehouse()
  const { publicUrl } = gatehouse
  const startWith = async (rd: string) => {
    const client = httpClient()
    const login = await client.follow(`${publicUrl}/oauth2/start?rd=${encodeURIComponent(rd)}`)
    const signedIn = await client.submit(login, { username: 'ada', password: gatehouse?.passwordOf('ada') ?? '' })
    return signedIn.url
  }
  expect(await startWith(`${publicUrl}/echo/whole?x=1`)).toBe(`${publicUrl}/echo/whole?x=1`)
  expect(await startWith('https://evil.example/')).toBe(`${publicUrl}/`)
})

test('the parts answer at their paths without the slash, too, to anyone', async () => {
  gatehouse = await testGatehouse()
  const { publicUrl } = gatehouse
  const [dex, auth] = await Promise.all(
    ['/dex', '/auth'].map((path) => fetch(`${publicUrl}${path}`, { redirect: 'manual' })),
  )
  expect(await dex?.text()).toContain('Sign-in service')
  expect([auth?.status, auth?.headers.get('location')]).toEqual([302, '/'])
  expect((await fetch(`${publicUrl}/dexter`, { redirect: 'manual' })).status).not.toBe(200)
})
