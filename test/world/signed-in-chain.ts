import { afterEach, expect } from 'vitest'
import { httpClient } from './http-client.ts'
import { openTestChain } from './open-chain.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The default chain under a clock that is moved by hand, with `kay` signed in; closed after the test. */
export async function signedInChain() {
  const { publicUrl, clock, users, close } = await openTestChain()
  closing.push(close)
  const client = httpClient()
  const echo = async () => {
    const response = await client.send(`${publicUrl}/echo/?format=json`)
    return response.status === 200 ? ((await response.json()) as { groups: string[] }).groups : response.status
  }
  await client.submit(await client.follow(`${publicUrl}/echo/`), { username: 'kay', password: 'correct horse' })
  expect(await echo()).toEqual(['platform-users'])
  return { clock, users, echo, client, publicUrl }
}
