import { mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closeAll, cookieOf, keep, type StartedProgram, upstreamWorld } from './oauth2-proxy-upstreams-world.ts'
import { programDirectory } from './oauth2-proxy-world.ts'

const directory = programDirectory()
const modified = 'Mon, 01 Jun 2026 12:00:00 GMT'
let world: StartedProgram

beforeAll(async () => {
  const files: Readonly<Record<string, string>> = {
    'a.txt': 'hello world',
    'page.html': '<h1>page</h1>',
    'app.js': 'run()',
    'data.bin': 'a\0b',
    README: 'read me',
    'docs/index.html': '<h1>docs</h1>',
    'bare/b c&.json': '{}',
    'bare/<x>': '',
    'secret.txt': 'outside',
  }
  for (const name of ['docs', 'bare/sub']) mkdirSync(join(directory, 'www', name), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const file = name === 'secret.txt' ? join(directory, name) : join(directory, 'www', name)
    writeFileSync(file, text)
    utimesSync(file, new Date(modified), new Date(modified))
  }
  symlinkSync('a.txt', join(directory, 'www', 'link.txt'))
  world = keep(await upstreamWorld([`file://${join(directory, 'www')}#/files/`, 'static://404']))
})
afterAll(async () => {
  await closeAll()
  rmSync(directory, { recursive: true })
})

const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  world.ask(path, { headers: { cookie: cookieOf(), ...headers }, method })

test('a file comes with its type, size and date', async () => {
  expect(await ask('/files/a.txt')).toMatchObject({
    status: 200,
    text: 'hello world',
    headers: {
      ...{ 'content-type': 'text/plain; charset=utf-8', 'content-length': '11' },
      ...{ 'last-modified': modified, 'accept-ranges': 'bytes' },
    },
  })
  expect(await ask('/files/a.txt', {}, 'HEAD')).toMatchObject({
    status: 200,
    text: '',
    headers: { 'content-length': '11' },
  })
  expect((await ask('/files/link.txt')).text).toBe('hello world')
})

test.each([
  ['page.html', 'text/html; charset=utf-8'],
  ['app.js', 'text/javascript; charset=utf-8'],
  ['data.bin', 'application/octet-stream'],
  ['README', 'text/plain; charset=utf-8'],
])('the type of %s is %s', async (name, type) => {
  expect((await ask(`/files/${name}`)).headers['content-type']).toBe(type)
})

test.each([
  ['bytes=0-4', 206, 'hello', 'bytes 0-4/11'],
  ['bytes=6-', 206, 'world', 'bytes 6-10/11'],
  ['bytes=-5', 206, 'world', 'bytes 6-10/11'],
  ['bytes=6-99', 206, 'world', 'bytes 6-10/11'],
  ['bytes=11-', 416, 'invalid range: failed to overlap\n', 'bytes */11'],
  ['bytes=5-1', 416, 'invalid range: failed to overlap\n', 'bytes */11'],
  ['pages=1', 416, 'invalid range: failed to overlap\n', 'bytes */11'],
  ['bytes=0-1,3-4', 200, 'hello world', undefined],
])('the range %s is answered with %i', async (range, status, text, told) => {
  const answer = await ask('/files/a.txt', { range })
  expect(answer).toMatchObject({ status, text })
  expect(answer.headers['content-range']).toBe(told)
})

test.each([
  [{ 'if-modified-since': modified }, 304],
  [{ 'if-modified-since': 'Mon, 01 Jun 2026 11:59:59 GMT' }, 200],
  [{ 'if-modified-since': modified, 'if-none-match': '"x"' }, 200],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-unmodified-since': 'Mon, 01 Jun 2026 11:59:59 GMT' }, 412],
  [{ range: 'bytes=0-1', 'if-range': modified }, 206],
  [{ range: 'bytes=0-1', 'if-range': '"x"' }, 200],
])('a request on condition %j is answered with %i', async (headers, status) => {
  expect((await ask('/files/a.txt', headers as Record<string, string>)).status).toBe(status)
})

test.each([
  ['/files/docs', 'docs/'],
  ['/files/docs?a=1', 'docs/?a=1'],
  ['/files/docs/index.html', './'],
  ['/files/a.txt/', '../a.txt'],
])('%s leads to %s', async (path, location) => {
  expect(await ask(path)).toMatchObject({ status: 301, headers: { location } })
})

test('a directory shows its index.html, else what is in it', async () => {
  expect((await ask('/files/docs/')).text).toBe('<h1>docs</h1>')
  expect(await ask('/files/bare/')).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    text: `<!doctype html>
<meta name="viewport" content="width=device-width">
<pre>
<a href="%3Cx%3E">&lt;x&gt;</a>
<a href="b%20c&.json">b c&amp;.json</a>
<a href="sub/">sub/</a>
</pre>
`,
  })
})

test.each(['/files/nope', '/files/a.txt/x', '/files/a%00.txt', '/files%2Fa.txt', `/files/${'x'.repeat(300)}`])(
  'nothing is at %s',
  async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404, text: '404 page not found\n' })
  },
)

test.each([
  '/files/../secret.txt',
  '/files/%2e%2e/secret.txt',
  '/files/..%2fsecret.txt',
  '/files/%2e%2e%2fsecret.txt',
  '/files/docs/../../secret.txt',
  '/files//../../secret.txt',
  '/files/..\\secret.txt',
])('%s does not lead out of the directory', async (path) => {
  expect(statSync(join(directory, 'secret.txt')).isFile()).toBe(true)
  const answer = await ask(path)
  expect([301, 404]).toContain(answer.status)
  expect(answer.text).not.toContain('outside')
})
