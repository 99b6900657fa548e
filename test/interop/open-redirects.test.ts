import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileRedirectRule } from '../../src/proxy/redirect-target.ts'

const list = 'github.com/oauth2-proxy/oauth2-proxy/v7@*/testdata/openredirects.txt'

/** The original's own list of open redirects, where its source is in Go's module cache. */
function findList(): string | undefined {
  try {
    const cwd = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim()
    return globSync(`${cwd}/${list}`).at(-1)
  } catch {
    return undefined // no Go here
  }
}

const path = findList()
if (!path) console.warn(`skipped: ${list} is not in Go's module cache (go mod download oauth2-proxy)`)

test.skipIf(path === undefined)('no line of oauth2-proxy’s list of open redirects leads away from our origin', () => {
  const isValid = compileRedirectRule([])
  const lines = readFileSync(path ?? '', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  expect(lines.length).toBeGreaterThan(500)
  const accepted = lines.flatMap((line) => [line, unescaped(line)]).filter(isValid)
  for (const target of accepted) {
    expect(new URL(target, 'https://kubeflow.example.com').origin, target).toBe('https://kubeflow.example.com')
  }
  // As they arrive in a form only paths pass whose query names another site: they lead nowhere.
  for (const line of lines.map(unescaped).filter(isValid)) expect(line).toMatch(/^\/[\w/]*\?/)
})

/** `%2f` and its like as they would arrive in a form, byte by byte where they are no UTF-8. */
function unescaped(line: string): string {
  return line.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}
