import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type TestGatehouse, testGatehouse } from '../world/gatehouse.ts'
import { httpClient } from '../world/http-client.ts'

let gatehouse: TestGatehouse | undefined
afterEach(async () => {
  await gatehouse?.close()
})

/** An AuthorizationPolicy as a directory may hold it beside nothing else. */
const policy = (name: string, spec: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: istio-system }
spec: ${spec}
`

test.each([
  ['an ALLOW of everything', '{ action: ALLOW, rules: [{}] }'],
  ['a DENY of one path', '{ action: DENY, rules: [{ to: [{ operation: { paths: [/admin/*] } }] }] }'],
])('%s does not open a platform: who has not signed in is still asked to', async (name, spec) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'))
  writeFileSync(join(directory, 'policy.yaml'), policy('only', spec))
  gatehouse = await testGatehouse({ from: directory })
  const { status, headers } = await httpClient().send(`${gatehouse.publicUrl}/echo/`)
  expect([status, headers.get('location')?.split('?')[0]], name).toEqual([302, '/dex/auth'])
})

test('an app the directory exempts in its DENY stays exempt in the policies that are filled in', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'))
  const operation = '{ notPaths: [/dex/*, /oauth2/*, /auth/*, /echo/*] }'
  const from = '[{ source: { notRequestPrincipals: ["*"] } }]'
  writeFileSync(
    join(directory, 'policy.yaml'),
    policy('require-jwt', `{ action: DENY, rules: [{ from: ${from}, to: [{ operation: ${operation} }] }] }`),
  )
  gatehouse = await testGatehouse({ from: directory })
  expect((await httpClient().send(`${gatehouse.publicUrl}/echo/`)).status).toBe(200)
  expect((await httpClient().send(`${gatehouse.publicUrl}/`)).status).toBe(302)
})
