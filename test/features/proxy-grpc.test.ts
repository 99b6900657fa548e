import type { Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { AskAnswer, AskRequest } from '../../src/gateway/ask.ts'
import { decodeCheckResponse } from '../../src/gateway/grpc/check-messages.ts'
import { openLog } from '../../src/kit/log.ts'
import { MessageWriter } from '../../src/kit/protobuf.ts'
import { openExtAuthzGrpc } from '../../src/proxy/transports/ext-authz-grpc.ts'
import { askByGrpc, callGrpc, checkMethod, framed } from '../world/grpc-check.ts'
import { ada, proxyWorld } from './proxy-world.ts'

let server: Http2Server | undefined
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))))

/** The proxy behind its gRPC listener; `ask` is what an Envoy does (the gateway's own client writes and reads the messages). */
async function listening(settings: Record<string, unknown> = {}) {
  const world = await proxyWorld(settings)
  const opened = openExtAuthzGrpc(world.proxy, openLog({ level: 'error', now: () => 0, write: () => {} }))
  server = opened
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', () => resolve()))
  const { port } = opened.address() as AddressInfo

  const call = (path: string, body: Buffer) => callGrpc(port, path, body)
  const ask = (request: Partial<AskRequest> = {}, method = checkMethod) => askByGrpc(port, request, method)
  return { ...world, ask, call }
}

const headerOf = (answer: AskAnswer, name: string) => answer.headers[answer.headers.indexOf(name) + 1]

describe('ext_authz by gRPC', () => {
  test('who is not signed in gets the login page, and the browser its status', async () => {
    const { ask } = await listening()
    const answer = await ask()
    expect([answer.verdict, answer.status]).toEqual(['deny', 403])
    expect(headerOf(answer, 'content-type')).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('Sign in with Dex')
  })

  test('a login by redirect sets its cookie beside the location', async () => {
    const { ask } = await listening({ skip_provider_button: true })
    const answer = await ask()
    expect([answer.verdict, answer.status]).toEqual(['deny', 302])
    expect(headerOf(answer, 'location')).toContain('/dex/auth?')
    expect(headerOf(answer, 'set-cookie')).toMatch(/^oauth2_proxy_kubeflow_.*csrf=/)
  })

  test('a session passes with its identity, and the app sees neither our cookie nor made-up headers', async () => {
    const { ask, signIn, browser } = await listening()
    await signIn()
    const headers = {
      cookie: `theme=dark; ${browser.cookieHeader}; _xsrf=1`,
      'content-type': 'application/grpc',
      'x-auth-request-email': 'root@example.com',
      x_auth_request_groups: 'admins',
      'kubeflow-userid': 'root@example.com',
      authorization: 'token of-jupyter',
    }
    for (let round = 0; round < 2; round += 1) {
      const { verdict, allowance } = await ask({ headers })
      expect(verdict).toBe('allow')
      expect(allowance?.removedHeaders).toEqual(['x_auth_request_groups', 'kubeflow-userid'])
      const set = Object.fromEntries(
        (allowance?.requestHeaders ?? []).map(({ name, value, how }) => [name, [value, how]]),
      )
      expect(set).toMatchObject({
        'x-auth-request-email': [ada.email, 'overwrite'],
        'x-auth-request-groups': ['ml,admins', 'overwrite'],
        cookie: ['theme=dark; _xsrf=1', 'overwrite'],
      })
      expect(set['authorization']?.[0]).toMatch(/^Bearer ey/)
      expect(Object.keys(set)).not.toContain('content-type')
    }
  })

  test('a remembered session is answered for the cookies that came with it this time', async () => {
    const { ask, signIn, browser } = await listening()
    await signIn()
    const cookieAsked = async (cookie: string) => {
      const { allowance } = await ask({ headers: { cookie } })
      const set = allowance?.requestHeaders.find(({ name }) => name === 'cookie')?.value
      return [set, allowance?.removedHeaders]
    }
    for (let round = 0; round < 2; round += 1) {
      expect(await cookieAsked(`a=1; ${browser.cookieHeader}`)).toEqual(['a=1', []])
      expect(await cookieAsked(`b=2; ${browser.cookieHeader}`)).toEqual(['b=2', []])
      expect(await cookieAsked(browser.cookieHeader)).toEqual([undefined, ['cookie']])
    }
  })

  test('an exempt path passes without identity, also without a made-up one', async () => {
    const { ask } = await listening()
    const { verdict, allowance } = await ask({ path: '/dex/keys', headers: { 'x-forwarded-user': 'root' } })
    expect([verdict, allowance?.requestHeaders, allowance?.removedHeaders]).toEqual(['allow', [], ['x-forwarded-user']])
  })

  test('a page of the proxy’s own is an answer, not leave to pass', async () => {
    const { ask } = await listening()
    const answer = await ask({ path: '/oauth2/sign_in' })
    expect([answer.verdict, answer.status]).toEqual(['deny', 200])
  })

  test('Envoys of the v2 API are answered as well', async () => {
    const { ask } = await listening()
    expect((await ask({ path: '/dex/keys' }, '/envoy.service.auth.v2.Authorization/Check')).verdict).toBe('allow')
  })

  test('headers sent raw are read, repeated ones joined', async () => {
    const { call, signIn, browser } = await listening()
    await signIn()
    const pair = (name: string, value: string) => new MessageWriter().text(1, name).bytes(3, Buffer.from(value))
    const map = new MessageWriter().message(1, pair('cookie', 'a=1')).message(1, pair('cookie', browser.cookieHeader))
    const http = new MessageWriter().text(2, 'GET').text(4, '/').text(5, 'h').message(13, map)
    const attributes = new MessageWriter().message(4, new MessageWriter().message(2, http))
    const { message } = await call(checkMethod, framed(new MessageWriter().message(1, attributes).finish()))
    expect(decodeCheckResponse(message)).toMatchObject({ verdict: 'allow' })
  })

  test('probes ask grpc.health.v1 whether users can sign in', async () => {
    const { call } = await listening()
    const { message, headers } = await call('/grpc.health.v1.Health/Check', framed(Buffer.alloc(0)))
    expect([headers['grpc-status'], message.toString('hex')]).toEqual(['0', '0801'])
  })

  test('what is no check is refused by its gRPC status', async () => {
    const { call } = await listening()
    const codeOf = async (path: string, body: Buffer) => (await call(path, body)).headers['grpc-status']
    expect(await codeOf('/nothing.Here/Check', framed(Buffer.alloc(0)))).toBe('12')
    expect(await codeOf(checkMethod, framed(Buffer.alloc(0)))).toBe('3')
    expect(await codeOf(checkMethod, framed(Buffer.from('ffff', 'hex')))).toBe('3')
    expect(await codeOf(checkMethod, framed(Buffer.alloc(3), 1))).toBe('3')
    expect(await codeOf(checkMethod, Buffer.alloc(2 * 1024 * 1024))).toBe('8')
  })

  test('no bytes are taken for leave to pass', async () => {
    const { call } = await listening()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const { headers, message } = await call(checkMethod, framed(Buffer.from(bytes)))
        if (headers['grpc-status'] === '0') expect(decodeCheckResponse(message).verdict).toBe('deny')
      }),
      { numRuns: 40 },
    )
  })
})
