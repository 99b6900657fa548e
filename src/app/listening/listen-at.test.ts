import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listenAt, portOf } from './listen-at.ts'

test('an address that is taken says so, and what would do', async () => {
  const [first, second] = [createServer(), createServer()]
  await listenAt(first, { kind: 'tcp', host: '127.0.0.1', port: 0 })
  try {
    const port = portOf(first) ?? 0
    await expect(listenAt(second, { kind: 'tcp', host: '127.0.0.1', port })).rejects.toThrow(
      `listen (tcp, 127.0.0.1:${port}) failed: another program listens there; stop it, or name another address`,
    )
  } finally {
    first.close()
  }
})
