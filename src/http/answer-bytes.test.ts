import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { bodyBeside, sendHead } from './answer-bytes.ts'

const bytesOfGroup = Buffer.from('é').toString('latin1')

/** The header `x-group` a client gets from an answer, as the text it stands for. */
async function groupOf(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sent = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false }) // it listens on a port
  const [received] = (await once(sent, 'response')) as [IncomingMessage]
  received.resume()
  await once(received, 'end')
  server.close()
  return Buffer.from(String(received.headers['x-group']), 'latin1').toString()
}

test('the bytes of a header arrive as they are beside a text', async () => {
  const headers = ['x-group', bytesOfGroup]
  const group = await groupOf((response) => {
    response.writeHead(200, headers)
    response.end(bodyBeside(headers, 'text'))
  })
  expect(group).toBe('é')
})

test('the bytes of a header arrive as they are before any body', async () => {
  const group = await groupOf((response) => {
    response.writeHead(200, ['x-group', bytesOfGroup])
    sendHead(response)
    response.end(Buffer.from('late'))
  })
  expect(group).toBe('é')
})

test('beside plain headers a text stays one, which is one write with the head', () => {
  expect(bodyBeside(['x-group', 'staff'], 'text')).toBe('text')
})
