import { expect, test } from 'vitest'
import { openConsole } from '../../src/console/console.ts'
import { silentLog } from '../../src/kit/log.ts'

const apps = [
  { name: 'Echo', description: 'Shows your headers.', href: '/echo/', kind: 'headers' },
  { name: 'Grafana', description: 'Dashboards.', href: '/grafana/', kind: 'oidc', groups: ['monitor-viewer', 'ops'] },
  { name: 'Secrets', description: 'For few.', href: '/secrets/', kind: 'headers', groups: ['team/ml'] },
] as const

function visit(path: string, headers: Readonly<Record<string, string>> = {}) {
  const part = openConsole({
    publicUrl: 'https://ml.example.com',
    basePath: '/gatehouse',
    apps,
    signOutPath: '/oauth2/sign_out',
    log: silentLog,
  })
  const request = new Request(`https://ml.example.com${path}`, { headers })
  return part.fetch(request, { requestId: 'req-7', clientAddress: '10.0.0.1' })
}

async function appsShownTo(groups: string) {
  const markup = await (await visit('/', { 'kubeflow-userid': 'ada@example.com', 'kubeflow-groups': groups })).text()
  return [...markup.matchAll(/<h2><a href="([^"]+)">/g)].map(([, href]) => href)
}

test('the portal shows apps without groups to everyone and the others to members only', async () => {
  expect(await appsShownTo('')).toEqual(['/echo/'])
  expect(await appsShownTo('kubeflow-user,ops')).toEqual(['/echo/', '/grafana/'])
  expect(await appsShownTo('team/ml,monitor-viewer')).toEqual(['/echo/', '/grafana/', '/secrets/'])
})

test('a group that only resembles one of the app’s opens nothing', async () => {
  expect(await appsShownTo('Ops,ops2,/ops,team')).toEqual(['/echo/'])
})

test('the portal greets the user, shows the groups and the way out', async () => {
  const response = await visit('/', { 'kubeflow-userid': 'ada@example.com', 'kubeflow-groups': 'ops,team/ml' })
  const markup = await response.text()
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(markup).toContain('<h1>Hello, ada</h1>')
  expect(markup).toContain('<li class="badge">ops</li><li class="badge">team/ml</li>')
  expect(markup).toContain('kubeflow-userid: ada@example.com\nkubeflow-groups: ops,team/ml</pre>')
  expect(markup).toContain('<a class="button secondary" href="/oauth2/sign_out">Sign out</a>')
})

test('a visitor without identity gets a way to sign in and sees no app', async () => {
  for (const headers of [{}, { 'kubeflow-userid': '' }, { 'kubeflow-groups': 'ops' }]) {
    const response = await visit('/', headers)
    const markup = await response.text()
    expect(response.status).toBe(403)
    expect(markup).toContain('href="/oauth2/start?rd=%2F"')
    expect(markup).not.toMatch(/echo|grafana|secrets/i)
  }
})

test('names and groups are shown as text, whatever they contain', async () => {
  const hostile = '<script>alert(1)</script>@example.com'
  const headers = { 'kubeflow-userid': hostile, 'kubeflow-groups': '"><img src=x onerror=alert(1)>' }
  const markup = await (await visit('/', headers)).text()
  expect(markup).not.toContain('<script>')
  expect(markup).not.toContain('<img src=x')
  expect(markup).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('a header that carries UTF-8 is shown as the name it is', async () => {
  const name = Buffer.from('josé@example.com', 'utf8').toString('latin1')
  expect(await (await visit('/', { 'kubeflow-userid': name })).text()).toContain('<h1>Hello, josé</h1>')
})

test('signing out ends on a page that says so and asks for nothing', async () => {
  const response = await visit('/gatehouse/signed-out')
  const markup = await response.text()
  expect(response.status).toBe(200)
  expect(markup).toContain('<h1>You are signed out</h1>')
  expect(markup).toContain('<a class="button" href="/">Sign in again</a>')
})

test('an unknown address answers 404 with the request id', async () => {
  const response = await visit('/gatehouse/nowhere')
  expect(response.status).toBe(404)
  expect(await response.text()).toContain('Request <code>req-7</code>')
})
