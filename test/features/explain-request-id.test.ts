import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runGatehouse } from '../world/command.ts'

const data = mkdtempSync(join(tmpdir(), 'gatehouse-explain-'))
const stock = fileURLToPath(new URL('../fixtures/kubeflow/stock', import.meta.url))
const running = runGatehouse('up', '--data', data, '--port', '0', '--from', stock)
let port = 0

beforeAll(async () => {
  await running.until(/Ctrl-C/)
  port = Number(/http:\/\/localhost:(\d+)\//.exec(running.text())?.[1])
})
afterAll(async () => {
  running.process.kill('SIGTERM')
  await running.ended()
})

/** Sends a request as it stands. @returns the status and the id the answer tells. */
function send(path: string, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; id: string }>((resolve, reject) => {
    const sent = request({ host: 'localhost', port, path, headers, agent: false }, (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, id: String(response.headers['x-request-id']) })
    })
    sent.on('error', reject).end()
  })
}

async function explainId(id: string) {
  const command = runGatehouse('explain', '--request', id, '--data', data, '--json')
  const status = await command.ended()
  return { status, text: command.text(), explanation: JSON.parse(command.text()) }
}

const unsigned = (claims: object) =>
  [{ alg: 'RS256', kid: 'x' }, claims, 'forged-signature']
    .map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'))
    .join('.')

describe('a refusal of a running chain is explained by its request id', () => {
  test('an API call without credentials', async () => {
    const { status, id } = await send('/pipeline/apis/x?token=s3cr3t')
    expect(status).toBe(401)
    const { status: exit, explanation } = await explainId(id)
    expect(exit).toBe(3)
    expect(explanation).toMatchObject({
      request: { url: `http://localhost:${port}/pipeline/apis/x?token=omitted`.replace('omitted', '…') },
      verdict: { isAllowed: false, status: 401, body: '{}' },
      recorded: { requestId: id, status: 401, cause: { kind: 'provider', provider: 'oauth2-proxy' } },
      caveats: [],
    })
    expect(explanation.suggestions.map(({ kind }: { kind: string }) => kind)).toEqual(['sign-in', 'exempt-path'])
  })

  test('an expired token of somebody: who it was, and the smallest change', async () => {
    const issuer = 'http://dex.auth.svc.cluster.local:5556/dex'
    const token = unsigned({ iss: issuer, sub: 'ada-id', email: 'ada@example.com', groups: ['team-a'], exp: 1 })
    const { id } = await send('/notebooks', { authorization: `Bearer ${token}` })
    const { explanation, text } = await explainId(id)
    expect(explanation).toMatchObject({
      request: { as: 'ada@example.com' },
      verdict: { status: 401, body: 'Jwt is expired' },
      recorded: { authorization: 'Bearer', identity: { isVerified: false, claims: { groups: ['team-a'] } } },
      caveats: [],
    })
    expect(explanation.suggestions[0].kind).toBe('fresh-token')
    expect(text).not.toContain(token.split('.')[2])
  })

  test('what cannot be kept, a bad signature, is said to differ', async () => {
    const issuer = 'http://dex.auth.svc.cluster.local:5556/dex'
    const { id, status } = await send('/', { authorization: `Bearer ${unsigned({ iss: issuer, sub: 'a', exp: 4e9 })}` })
    expect(status).toBe(401)
    const { explanation } = await explainId(id)
    expect(explanation.recorded.cause.kind).toBe('token')
    expect(explanation.caveats[0]).toContain('it hung on what is never kept')
  })

  test('a part’s refusal: which part, and what it said of the request', async () => {
    const { status, id } = await send('/dex/approval?req=stale')
    expect(status).toBe(401)
    const { status: exit, explanation } = await explainId(id)
    expect(exit).toBe(3)
    expect(explanation).toMatchObject({
      verdict: { isAllowed: false, status: 401 },
      recorded: { requestId: id, cause: { kind: 'part', part: 'broker' } },
      suggestions: [],
      caveats: [],
    })
    expect(explanation.verdict.summary).toContain('`broker` refuses: request refused: Unauthorized request')
    expect(explanation.layers.at(-1)).toMatchObject({ name: 'app', outcome: 'stopped' })
  })

  test('nothing secret is on the disk, and nobody else may read it', async () => {
    const cookie = 'oauth2_proxy_kubeflow=c00kie-secret'
    const { id } = await send('/api/x?code=c0de-secret&next=/a', { cookie, 'x-api-key': 'header-secret' })
    await explainId(id)
    const file = join(data, 'decisions.jsonl')
    const text = readFileSync(file, 'utf8')
    expect(text).toContain(id)
    expect(text).not.toMatch(/secret|s3cr3t/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('an unknown id is told as such', async () => {
    const command = runGatehouse('explain', '--request', 'no-such-id', '--data', data)
    expect(await command.ended()).toBe(1)
    expect(command.text()).toContain('no refusal `no-such-id`')
  })

  test('a request to the running chain is compared with what that answers', async () => {
    const command = runGatehouse('explain', '/pipeline/apis/x', '-f', stock, '--live', `http://localhost:${port}`)
    expect(await command.ended()).toBe(3)
    expect(command.text()).toContain('the running chain answers the same 401')
  })
})

test.each([
  [['explain'], 2, 'write: gatehouse explain [METHOD] URL'],
  [['explain', 'get', '/x'], 2, 'the method comes first, in capitals, got `get`'],
  [['explain', 'x'], 2, '`x` is no URL'],
  [['explain', '/x', '--as', 'a', '--token', 't'], 2, 'give --as or --token, not both'],
  [['explain', '/x', '-H', 'nothing'], 2, '-H needs `name: value`'],
  [['explain', '/x', '--from-ip', 'home'], 2, '--from-ip must be an IP address, got `home`'],
  [['explain', '/x', '--request', 'id'], 2, '--request explains what was sent'],
  [['explain', '/x', '-f', fileURLToPath(new URL('../fixtures/kubeflow/broken', import.meta.url))], 1, 'DENYY'],
  [
    ['explain', 'GET', 'https://kf.example.com/echo/', '--as', 'ada@example.com,team/ml'],
    0,
    'kubeflow-groups: team/ml',
  ],
  [['explain', 'https://kf.example.com/echo/'], 3, 'location: /dex/auth?…'],
])('gatehouse %j ends with %i', async (args, status, message) => {
  const command = runGatehouse(...args, '--data', '/nonexistent')
  expect(await command.ended()).toBe(status)
  expect(command.text()).toContain(message)
})
