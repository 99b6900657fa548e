import { afterEach, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'

let gatehouse: TestGatehouse | undefined
afterEach(async () => {
  await gatehouse?.close()
})

const background: readonly Record<string, string>[] = [
  { accept: 'application/json' },
  { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
  { 'x-requested-with': 'XMLHttpRequest' },
]

test('without a session an app’s own request gets a 401, a person the way to sign in', async () => {
  gatehouse = await testGatehouse()
  const send = (path: string, headers: Record<string, string>) =>
    httpClient().send(`${gatehouse?.publicUrl}${path}`, { headers })
  for (const headers of background) {
    const refused = await send('/echo/data', headers)
    expect([headers, refused.status]).toEqual([headers, 401])
    expect(refused.headers.get('location')).toBeNull()
    expect(refused.headers.get('set-cookie')).toBeNull()
    expect(refused.headers.get('content-type')).toContain('json')
  }
  expect((await send('/echo/api/data', {})).status).toBe(401)
  const grpc = await send('/echo/data', { 'content-type': 'application/grpc' })
  expect([grpc.status, grpc.headers.get('grpc-status')]).toEqual([200, '16'])
  const page = await send('/echo/data', { accept: 'text/html,*/*', 'sec-fetch-mode': 'navigate' })
  expect([page.status, page.headers.get('location')]).toEqual([302, expect.stringMatching(/^\/dex\/auth\?/)])
})
