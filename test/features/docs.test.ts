import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { configurationFile, configurationReference, oauth2ProxyFile, oauth2ProxyPage } from '../../scripts/docs.ts'
import { providersFile, providersReference } from '../../scripts/providers-reference.ts'
import { runGatehouse } from '../world/command.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'))
const textOf = (page: string) => readFileSync(join(root, page), 'utf8')

test('the configuration reference is what the schemas say (npm run docs)', () => {
  expect(readFileSync(configurationFile, 'utf8')).toBe(configurationReference())
})

test('every key of oauth2-proxy is in the table, as the program has it (npm run docs)', () => {
  const page = readFileSync(oauth2ProxyFile, 'utf8')
  expect(page).toBe(oauth2ProxyPage(page))
})

test('the proxy’s providers are described as they are (npm run docs)', () => {
  expect(readFileSync(providersFile, 'utf8')).toBe(providersReference())
})

test.each(pages)('every link of %s leads somewhere', (page) => {
  for (const [, target = ''] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue
    const [file = '', anchor] = target.split('#')
    const path = file === '' ? join(root, page) : join(root, dirname(page), file)
    expect(existsSync(path), `${page} → ${target}`).toBe(true)
    if (anchor !== undefined) expect(headingsOf(readFileSync(path, 'utf8')), `${page} → ${target}`).toContain(anchor)
  }
})

test.each(pages)('every npm script %s names exists', (page) => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
  for (const [, name = ''] of textOf(page).matchAll(/\bnpm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([name])
})

test('every option the documents give `npm start` and `gatehouse` is one of theirs', async () => {
  const help = await Promise.all(
    ['up', 'users'].map(async (command) => {
      const running = runGatehouse(command, '--help')
      await running.ended()
      return running.text()
    }),
  )
  const known = new Set([...help.join('\n').matchAll(/--([\w-]+)/g)].map(([, name]) => name))
  const lines = pages
    .flatMap((page) => textOf(page).split('\n'))
    .filter((line) => /npm start -- |gatehouse (up|users)/.test(line))
  for (const line of lines) {
    for (const [, option = ''] of line.matchAll(/ --([a-z][\w-]*)/g)) expect(known, line).toContain(option)
  }
})

function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )
}
