/** What nginx, Caddy, HAProxy and Envoy ask when set up as docs/FRONTS.md says, recorded from them by `test/interop`. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { settleCommandLine } from '../../src/app/oauth2-proxy/command-line.ts'
import { parseProxyFlags } from '../../src/proxy/flags.ts'
import type { RecordedQuestion } from '../interop/front-questions.ts'
import { recipe } from '../world/recipe.ts'
import { issuer, proxyWorldOf } from './proxy-world.ts'

/** The configuration of docs/FRONTS.md, with the provider of these tests. */
function documented() {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-fronts-'))
  for (const name of ['client-secret', 'cookie-secret']) {
    writeFileSync(join(directory, name), '0f8a3b7c5d2e4f6a9b1c8d7e6f5a4b3c')
  }
  const text = recipe('oauth2_proxy.cfg', { '/etc/gatehouse': directory, 'https://sso.example.com/dex': issuer })
  const argv = ['--config=oauth2_proxy.cfg']
  return settleCommandLine({ argv, flags: parseProxyFlags(argv), variables: {}, readFile: () => text })
}

async function documentedProxy() {
  const outcome = documented()
  if (outcome.kind === 'end') throw new Error(outcome.stderr)
  const { proxy } = await proxyWorldOf(outcome.plan.config)
  return proxy
}

test('the documented configuration is one the program starts with, without a warning', () => {
  expect(documented()).toMatchObject({ kind: 'start', plan: { warnings: [] } })
})

/** Statuses where nobody is signed in: at `/oauth2/auth`, of the request itself, at `/oauth2/forward_auth`. */
const expected: Readonly<Record<string, readonly [auth: number, itself: number, forwardAuth: number]>> = {
  navigation: [401, 302, 302],
  script: [401, 401, 401],
  socket: [401, 401, 401],
  exempt: [202, 200, 202],
  'exempt by another method': [401, 401, 401],
  lies: [401, 401, 400], // `X-Original-URL` contradicts what Caddy says
}

describe.each(['nginx', 'caddy', 'haproxy', 'envoy'])('the questions of %s', (name) => {
  const file = new URL(`../compat/fronts/${name}.json`, import.meta.url)
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as readonly RecordedQuestion[]

  test.each(recorded)('$kind is answered as it should be', async ({ kind, request, questions }) => {
    const proxy = await documentedProxy()
    const [auth, itself, forwardAuth] = expected[kind] ?? [0, 0, 0]
    expect(questions.length).toBeGreaterThan(0)
    for (const { method, path, headers } of questions) {
      const facts = { method, path, headers, host: headers['host'] ?? '', clientAddress: '127.0.0.1', requestId: 'r1' }
      const answer = await proxy.answer(facts)
      const own = path.startsWith('/oauth2/') ? path.replace(/\?.*/, '') : path // Caddy leaves the query on
      expect(answer.status, path).toBe(
        { '/oauth2/auth': auth, '/oauth2/forward_auth': forwardAuth, [request.path]: itself }[own],
      )
      if (answer.status !== 302) continue
      const location = new URL(answer.headers[answer.headers.indexOf('location') + 1] ?? '')
      expect(location.searchParams.get('state')).toContain(request.path)
      expect(location.searchParams.get('redirect_uri')).toBe('https://apps.example.com/oauth2/callback')
    }
  })
})
