import { expect, test } from 'vitest'
import { openEcho } from '../../src/demo/echo.ts'

function visit(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  return openEcho({ basePath: '/echo' }).fetch(new Request(`http://localhost:8080${path}`, { method, headers }))
}

const ada = { 'kubeflow-userid': 'ada@example.com', 'kubeflow-groups': 'kubeflow-user,team/ml' }

test('JSON tells exactly what was received, secrets by their length only', async () => {
  const headers = { ...ada, accept: 'application/json', authorization: 'Bearer abc', cookie: 'a=1; b=2', 'x-one': '1' }
  const response = await visit('/echo/some/deep?link=1&q=%3Cb%3E', headers)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.json()).toEqual({
    method: 'GET',
    path: '/echo/some/deep',
    query: 'link=1&q=%3Cb%3E',
    user: 'ada@example.com',
    groups: ['kubeflow-user', 'team/ml'],
    headers: { accept: 'application/json', ...ada, 'x-one': '1' },
    secrets: { authorization: 10, cookie: 8 },
  })
})

test('without identity headers it reads what Python’s get and split would', async () => {
  expect(await (await visit('/echo/?format=json')).json()).toMatchObject({ user: null, groups: [''] })
})

test('groups are split at every comma and not trimmed', async () => {
  const response = await visit('/echo/?format=json', { 'kubeflow-groups': 'a, b,,c' })
  expect(await response.json()).toMatchObject({ groups: ['a', ' b', '', 'c'] })
})

test('every depth and method is answered', async () => {
  for (const path of ['/echo', '/echo/', '/echo/a/b/c', '/echo/static/none']) {
    const response = await visit(`${path}?format=json`, {}, 'POST')
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ path, method: 'POST' })])
  }
})

test('the page shows path, query and identity', async () => {
  const markup = await (await visit('/echo/some/deep?link=1', ada)).text()
  expect(markup).toContain('<code id="path">/echo/some/deep</code>')
  expect(markup).toContain('<code id="query">link=1</code>')
  expect(markup).toContain('<dd id="user">ada@example.com</dd>')
  expect(markup).toContain('<li class="badge">kubeflow-user</li><li class="badge">team/ml</li>')
})

test('nothing that came with the request becomes markup or leaks', async () => {
  const headers = {
    'kubeflow-userid': '<script>alert(1)</script>',
    'x-note': '<img src=x onerror=alert(1)>',
    authorization: 'Bearer very-secret',
    'x-forwarded-access-token': 'very-secret',
    'x-gatehouse-assertion': 'very-secret',
    cookie: '_oauth2_proxy=very-secret',
  }
  const markup = await (await visit('/echo/?q="><script>alert(1)</script>', headers)).text()
  expect(markup).not.toMatch(/<script|<img src=x|very-secret/)
  expect(markup).toContain('hidden, 18 characters')
})

test('the shared files come from below its own path', async () => {
  const response = await visit('/echo/static/gatehouse.css')
  expect(response.headers.get('content-type')).toBe('text/css; charset=utf-8')
})
