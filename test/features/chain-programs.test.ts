import { expect, test } from 'vitest'
import { signedInChain } from '../world/signed-in-chain.ts'

/** Someone who is signed in makes a token on the page; what a program with it is answered. */
async function program(path: string) {
  const chain = await signedInChain()
  const { client, publicUrl } = chain
  const page = await client.follow(`${publicUrl}/oauth2/tokens`)
  const created = await client.follow(`${publicUrl}/oauth2/tokens`, {
    method: 'POST',
    body: new URLSearchParams({ label: 'nightly', path, days: '30' }),
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  const token = /gha_[\w-]{43}/.exec(created.text)?.[0] ?? expect.fail(page.text)
  const ask = async (target: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) => {
    const response = await fetch(`${publicUrl}${target}`, { headers, redirect: 'manual' })
    if (response.status !== 200) return response.status
    return ((await response.json()) as { groups: string[] }).groups
  }
  return { ...chain, token, ask }
}

const json = '/echo/?format=json'

test('a token passes the whole chain as its user, by header or by cookie', async () => {
  const { ask, token } = await program('/echo')
  expect(await ask(json)).toEqual(['platform-users'])
  expect(await ask(json, { cookie: `gatehouse=${token}` })).toEqual(['platform-users'])
  expect(await ask(json, { authorization: `Basic ${Buffer.from(`kay:${token}`).toString('base64')}` })).toEqual([
    'platform-users',
  ])
  expect(await ask('/')).toBe(403)
  expect(await ask(json, { authorization: `Bearer ${token.slice(0, -4)}AAAA` })).toBe(401)
})

test('a token outlives the browser’s sign-out, its session’s day, and knows the groups of the moment', async () => {
  const { ask, client, publicUrl, clock, users, echo } = await program('/')
  await client.follow(`${publicUrl}/oauth2/sign_out`)
  expect(await echo()).toBe(302)
  expect(await ask(json)).toEqual(['platform-users'])
  for (let day = 0; day < 6; day += 1) {
    clock.advance(26 * 3_600_000)
    expect(await ask(json), `day ${day}`).toEqual(['platform-users'])
  }
  await users.setGroups('platform', 'kay', ['platform-users', 'team/ml'])
  clock.advance(61_000)
  expect(await ask(json)).toEqual(['platform-users', 'team/ml'])
})

test('a token dies within a minute with its user’s account', async () => {
  const { ask, clock, users } = await program('/')
  await users.setEnabled('platform', 'kay', false)
  clock.advance(61_000)
  expect(await ask(json)).toBe(401)
  await users.setEnabled('platform', 'kay', true)
  expect(await ask(json)).toBe(401)
})
