import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openPartServer } from '../../src/gateway/serve-part.ts'

test('a part reads headers the gateway added and misses those it removed, one by one and all together', async () => {
  const seen: unknown[] = []
  const part = {
    fetch(request: Request) {
      const { headers } = request
      seen.push(headers.get('kubeflow-userid'), headers.get('x-evil'), headers.get('x-twice'))
      seen.push([...headers].filter(([name]) => name.startsWith('kubeflow-')))
      return new Response('ok')
    },
  }
  const parts = openPartServer()
  const context = { requestId: 'r', clientAddress: '127.0.0.1' }
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    void request.headers // what an earlier step has read must not stick
    const kept = ['Host', 'localhost', 'X-Twice', 'a', 'x-twice', 'b']
    const added = [
      'kubeflow-userid',
      'ada@example.com',
      'kubeflow-groups',
      'a,b',
      'a1',
      '1',
      'a2',
      '2',
      'a3',
      '3',
      'a4',
      '4',
    ]
    parts.serve(part, request, response, { target: '/', headers: [...kept, ...added], context })
  }
  const server = createServer(handle).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-evil': '1' } })
  server.close()
  expect(seen).toEqual([
    'ada@example.com',
    null,
    'a, b',
    [
      ['kubeflow-groups', 'a,b'],
      ['kubeflow-userid', 'ada@example.com'],
    ],
  ])
})
