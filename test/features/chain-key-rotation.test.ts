import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { httpClient } from '../world/http-client.ts'
import { openTestChain } from '../world/open-chain.ts'
import { listen, stop } from './gateway-world.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

test('while the keys change, nobody is turned away: not who is signed in, nor who signs in, nor an old token', async () => {
  const app = createServer((request, response) => response.end(request.headers.authorization ?? ''))
  const apps = [{ name: 'teller', prefix: '/teller/', host: '127.0.0.1', port: await listen(app) }]
  const { clock, publicUrl, close } = await openTestChain({ apps })
  closing.push(close, () => stop(app))
  const url = `${publicUrl}/teller/`
  const signIn = async () => {
    const client = httpClient()
    const page = await client.submit(await client.follow(url), { username: 'kay', password: 'correct horse' })
    expect(page.response.status).toBe(200)
    return client
  }
  const early = await signIn()
  const kids = new Set<unknown>()
  let before = ''
  for (let hour = 0; hour < 20; hour += 1) {
    const clients = [early, early, early, early, ...(hour % 5 === 0 ? [await signIn()] : [])]
    const answers = await Promise.all(clients.map((client) => client.send(url)))
    expect(
      answers.map(({ status }) => status),
      `hour ${hour}`,
    ).toEqual(clients.map(() => 200))
    const [token = ''] = await Promise.all(answers.map((answer) => answer.text()))
    if (before !== '') {
      const again = await httpClient().send(url, { headers: { authorization: before } })
      expect([again.status, await again.text()], `hour ${hour}`).toEqual([200, before])
    }
    const header = Buffer.from(token.replace(/^Bearer /, '').split('.')[0] ?? '', 'base64url').toString()
    kids.add((JSON.parse(header) as { kid: unknown }).kid)
    before = token
    clock.advance(3_600_000)
  }
  expect(kids.size).toBeGreaterThan(1)
})
