import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import { expect, test } from 'vitest'
import { freePort } from '../world/programs.ts'
import { openOAuth2Proxy } from './our-proxy.ts'
import { describeWith, startProgram } from './programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'htpasswd-'))
const passwords = join(folder, 'passwords')
const hash = hashSync('lovelace', { cost: 4 })
writeFileSync(
  passwords,
  ['# users', `ada:${hash}`, `"old":${hash.replace('$2b$', '$2y$')}`, 'eve:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='].join(
    '\n',
  ),
)

const flags = [
  ...['--provider=github', '--client-id=our-id', '--client-secret=our-secret', '--cookie-secure=false'],
  ...['--cookie-secret=Fq7b4uIcRAZfS9wGtu1uJ4z0E1o2kQ0Wb1r3m5t8y6A=', '--upstream=static://200'],
  ...['--set-xauthrequest=true', `--htpasswd-file=${passwords}`, '--htpasswd-user-group=staff,ml'],
]

type Send = (path: string, init?: RequestInit) => Promise<Response>

const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
})
const basic = (user: string, password: string): RequestInit => ({
  headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
})

const requests: readonly [what: string, path: string, init: RequestInit][] = [
  ['no name', '/oauth2/sign_in', form({ username: '', password: 'lovelace' })],
  ['a wrong password', '/oauth2/sign_in', form({ username: 'ada', password: 'byron' })],
  ['an unknown name', '/oauth2/sign_in', form({ username: 'ida', password: 'lovelace' })],
  ['the right password', '/oauth2/sign_in', form({ username: 'ada', password: 'lovelace', rd: '/page?x=1' })],
  [
    'a target elsewhere',
    '/oauth2/sign_in',
    form({ username: 'ada', password: 'lovelace', rd: 'https://evil.example/' }),
  ],
  ['a SHA-1 hash', '/oauth2/sign_in', form({ username: 'eve', password: 'password' })],
  ['a name in quotes', '/oauth2/sign_in', form({ username: 'old', password: 'lovelace' })],
  ['Basic credentials', '/oauth2/auth', basic('ada', 'lovelace')],
  ['Basic credentials at a path', '/page', basic('eve', 'password')],
  ['wrong Basic credentials', '/oauth2/auth', basic('ada', 'byron')],
  ['wrong Basic credentials at a path', '/page', basic('ada', 'byron')],
  ['the page itself', '/oauth2/sign_in', {}],
]

describeWith({ name: 'oauth2-proxy', from: 'github.com/oauth2-proxy/oauth2-proxy' }, (program) => {
  test('names and passwords are answered alike', async () => {
    const port = await freePort()
    const original = await startProgram(program, [...flags, `--http-address=127.0.0.1:${port}`], { port })
    try {
      const theirs: Send = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, { ...init, redirect: 'manual' })
      const ours = await openOAuth2Proxy(flags)
      for (const [what, path, init] of requests) {
        expect(await outcomeOf(await ours(path, init)), what).toEqual(await outcomeOf(await theirs(path, init)))
      }
    } finally {
      await original.stop()
    }
  })
})

async function outcomeOf(response: Response) {
  const { status, headers } = response
  await response.body?.cancel()
  const identity = [...headers].filter(([name]) => name.startsWith('x-auth-request-') || name === 'gap-auth')
  const hasSession = headers.getSetCookie().some((line) => /^_oauth2_proxy=[^;]/.test(line))
  return { status, location: headers.get('location'), hasSession, ...Object.fromEntries(identity) }
}
