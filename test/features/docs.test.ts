import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { authserviceFile, authservicePage } from '../../scripts/authservice-reference.ts'
import { configurationFile, configurationReference, oauth2ProxyFile, oauth2ProxyPage } from '../../scripts/docs.ts'
import { providersFile, providersReference } from '../../scripts/providers-reference.ts'
import { proxyKeys } from '../../src/proxy/keys.ts'
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

test('every variable of oidc-authservice is in the table (npm run docs)', () => {
  const page = readFileSync(authserviceFile, 'utf8')
  expect(page).toBe(authservicePage(page))
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

const commands = ['up', 'users', 'check', 'explain', 'login', 'tokens', 'oauth2-proxy', 'authservice'] as const

/** The options each command tells with `--help`. */
const optionsOf = new Map(
  await Promise.all(
    commands.map(async (command) => {
      const running = runGatehouse(command, '--help')
      await running.ended()
      return [command as string, new Set(optionsIn(running.text()))] as const
    }),
  ),
)

function optionsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(([, name = '']) => name)
}

test.each(pages)('every option %s gives a command is one of its own', (page) => {
  const calls = /(?:npm start --|gatehouse (?:-s )?(?:-- )?([\w-]+))( [^`|#\n]*)/g
  for (const [call, command = 'up', rest = ''] of textOf(page).matchAll(calls)) {
    const known = optionsOf.get(command)
    for (const option of known ? optionsIn(rest) : []) expect([...(known ?? [])], call).toContain(option)
  }
})

test.each([
  ['check', 'docs/CHECK.md'],
  ['explain', 'docs/EXPLAIN.md'],
])('every option of %s is in %s, and no other', (command, page) => {
  const ofOthers = /gatehouse up.*|npm ci.*|`up --\w+`/g
  const documented = new Set(optionsIn(textOf(page).replaceAll(ofOthers, '')))
  const toldByLetter = ['file', 'header'] // -f, -H
  const own = [...(optionsOf.get(command) ?? [])].filter((option) => ![...toldByLetter, 'help'].includes(option))
  expect([...documented].sort()).toEqual(own.sort())
})

test.each(['login', 'tokens'])('every option of %s is in docs/PROGRAMS.md', (command) => {
  const own = [...(optionsOf.get(command) ?? [])].filter((option) => option !== 'help')
  expect(optionsIn(textOf('docs/PROGRAMS.md'))).toEqual(expect.arrayContaining(own))
})

test.each(pages)('every key of a TOML example of %s is one of the proxy', (page) => {
  for (const [, example = ''] of textOf(page).matchAll(/^```toml.*\n([\s\S]*?)^```/gm)) {
    for (const key of Object.keys(parse(example))) expect(Object.keys(proxyKeys), example).toContain(key)
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
