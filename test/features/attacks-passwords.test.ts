import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import { expect, test } from 'vitest'
import { origin, proxyWorld } from './proxy-world.ts'

/** A proxy with a password file; `password` sends credentials as some client does. */
async function world(settings: Record<string, unknown> = {}) {
  const file = join(mkdtempSync(join(tmpdir(), 'htpasswd-')), 'users')
  writeFileSync(file, `ada:${hashSync('lovelace', { cost: 4 })}\n`)
  const one = await proxyWorld({ htpasswd_file: file, ...settings })
  const basic = (user: string, password: string, more: Record<string, string> = {}) => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    return one.newBrowser().check('/', { clientAddress: '10.0.0.9', headers: { authorization, ...more } })
  }
  const form = async (username: string, password: string, more: Record<string, string> = {}) => {
    const request = new Request(`${origin}/oauth2/sign_in`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...more },
      body: new URLSearchParams({ username, password }),
    })
    return (await one.proxy.fetch(request, { requestId: 'r1', clientAddress: '10.0.0.9' })).status
  }
  return { ...one, basic, form }
}

test('a flood of guesses keeps out nobody who is known already', async () => {
  const { basic } = await world()
  expect((await basic('ada', 'lovelace')).status).toBe(200)
  const flood = Array.from({ length: 40 }, (_, at) => basic(`stranger-${at}`, 'x'))
  const meanwhile = await basic('ada', 'lovelace')
  expect(meanwhile.status).toBe(200)
  expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([403]))
})

test('guesses from one client count for no other behind the same proxy, and cannot be spread over made-up ones', async () => {
  const { form } = await world({ reverse_proxy: true, trusted_proxy_ips: ['10.0.0.9'] })
  const from = (address: string) => ({ 'x-real-ip': address })
  for (let guess = 0; guess < 10; guess += 1) await form('ada', `guess ${guess}`, from('203.0.113.1'))
  expect(await form('ada', 'lovelace', from('203.0.113.1'))).toBe(429)
  expect(await form('ada', 'lovelace', from('203.0.113.2'))).toBe(302)
  const open = await world()
  for (let guess = 0; guess < 10; guess += 1) await open.form('ada', `guess ${guess}`, from(`203.0.113.${guess}`))
  expect(await open.form('ada', 'lovelace', from('203.0.113.99'))).toBe(429)
})

test.each(['cookie', 'sqlite'])('a link on another site to the sign-in page signs nobody out (%s)', async (store) => {
  const { browser, signIn } = await world({ session_store_type: store })
  await signIn()
  for (const path of ['/oauth2/sign_in', '/oauth2/sign_in?rd=/x', '/oauth2/start?provider=nobody']) {
    const answer = await browser.get(path, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })
    expect(answer.headers.getSetCookie().filter((line) => line.includes('Max-Age=0'))).toEqual([])
    expect((await browser.check('/')).status, path).toBe(200)
  }
  await browser.get('/oauth2/sign_in', { 'sec-fetch-site': 'same-origin' })
  expect((await browser.check('/')).status).toBe(403)
})
