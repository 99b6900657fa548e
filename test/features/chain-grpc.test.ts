import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGatehouse } from '../../src/app/start-gatehouse.ts'
import { askByGrpc } from '../world/grpc-check.ts'
import { freePort } from '../world/programs.ts'

test('`proxy.grpc_address` of a chain opens the check by gRPC for an Envoy elsewhere', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-grpc-'))
  const grpc = await freePort()
  const port = await freePort()
  const path = join(directory, 'gatehouse.yaml')
  writeFileSync(path, `publicUrl: http://localhost:${port}\nproxy:\n  grpc_address: 127.0.0.1:${grpc}\n`)
  const running = await startGatehouse({
    ...{ port, publicUrl: undefined, reset: false, logLevel: 'error' },
    source: { kind: 'file', path },
    dataDirectory: join(directory, 'data'),
  })
  expect(await askByGrpc(grpc, { path: '/echo/' })).toMatchObject({ verdict: 'deny', status: 302 })
  await running.close()
  rmSync(directory, { recursive: true })
  await expect(askByGrpc(grpc)).rejects.toThrow(/ECONNREFUSED/)
})
