/**
 * `npm run docs`: writes docs/CONFIGURATION.md from the schemas the program itself reads configuration with, and
 * docs/RULES.md from the table of lint rules, docs/PROVIDERS.md from the table of providers, and in docs/OAUTH2-PROXY.md
 * the table of keys.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { brokerConfigSchema } from '../src/broker/config.ts'
import { gatehouseYamlSchema } from '../src/config/gatehouse-yaml-schema.ts'
import { rulesMarkdown } from '../src/insight/lint/formats/markdown.ts'
import { keyDescriptions } from '../src/proxy/key-descriptions.ts'
import { flagOf, type ProxyKey, proxyKeyNames, proxyKeys } from '../src/proxy/keys.ts'
import { authserviceFile, authservicePage } from './authservice-reference.ts'
import { providersFile, providersReference } from './providers-reference.ts'

/** Where the reference is. */
export const configurationFile = fileURLToPath(new URL('../docs/CONFIGURATION.md', import.meta.url))

/** Where the lint rules are described. */
export const rulesFile = fileURLToPath(new URL('../docs/RULES.md', import.meta.url))

/** What runs in place of oauth2-proxy. */
export const oauth2ProxyFile = fileURLToPath(new URL('../docs/OAUTH2-PROXY.md', import.meta.url))

/** The whole text of docs/CONFIGURATION.md. */
export function configurationReference(): string {
  return [
    '# Configuration reference',
    '',
    'Made from the schemas by `npm run docs`; change those instead.',
    '',
    '## gatehouse.yaml',
    '',
    '`publicUrl` alone is the default chain; what a section says is laid over it, in the words of the program the part',
    'replaces. A part set to `false` does not run. Variables such as `$NAME` are filled from the environment.',
    '',
    ...table(['key', 'type', 'default', 'meaning'], schemaRows(gatehouseYamlSchema)),
    '',
    '## Broker: Dex’s keys',
    '',
    'Keys match whatever their case, as in Dex. Durations are Go durations (`24h`, `1m30s`). `idEnv`, `secretEnv` and',
    '`hashFromEnv` name variables in place of `id`, `secret` and `hash`. What has no effect here is told at start.',
    '',
    ...table(
      ['key', 'type', 'default'],
      schemaRows(brokerConfigSchema).map((row) => row.slice(0, 3)),
    ),
    '',
    '## Proxy: oauth2-proxy’s keys',
    '',
    'The `proxy` section takes the keys of `oauth2_proxy.cfg`, and a few more. They are all listed, with their flags and with',
    'what has no effect, in [OAUTH2-PROXY.md](OAUTH2-PROXY.md#all-keys); its column “in a chain” is the one that counts here.',
    '',
  ].join('\n')
}

interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

function schemaRows(schema: z.ZodType): string[][] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema // zod types it loosely
  return propertyRows(root, '')
}

function propertyRows({ properties = {} }: JsonSchema, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`
    if (schema.properties) return propertyRows(schema, `${path}.`)
    if (schema.items?.properties) return propertyRows(schema.items, `${path}[].`)
    return [[`\`${path}\``, typeOf(schema), defaultOf(schema.default), schema.description ?? '']]
  })
}

function typeOf({ type, enum: values, items, anyOf }: JsonSchema): string {
  if (values)
    return values
      .filter((value) => value !== '')
      .map((value) => `\`${String(value)}\``)
      .join(' or ')
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ')
  if (type === 'array') return `list of ${items?.type ?? 'value'}s`
  return type ?? 'text'
}

function defaultOf(value: unknown): string {
  if (value === undefined || value === '') return ''
  return `\`${JSON.stringify(value)}\``
}

/** The whole text of docs/OAUTH2-PROXY.md: what is written by hand, with the table of keys at its end made anew. */
export function oauth2ProxyPage(written: string): string {
  const start = written.indexOf(keysMark)
  return [
    written.slice(0, start < 0 ? undefined : start) + keysMark,
    '',
    ...table(['key', 'flag', 'type', 'default', 'what for', 'as a program', 'in a chain'], proxyRows()),
    '',
  ].join('\n')
}

const keysMark = '<!-- made by `npm run docs` from src/proxy/keys.ts and key-descriptions.ts -->\n'

function proxyRows(): string[][] {
  return proxyKeyNames.map((name) => {
    const key: ProxyKey = proxyKeys[name]
    const isEmpty = key.default === '' || (Array.isArray(key.default) && key.default.length === 0)
    const fallback = isEmpty ? '' : `\`${String(key.default)}\``
    return [`\`${name}\``, `\`${flagOf(name)}\``, key.kind, fallback, keyDescriptions[name], ...actedOn(key)]
  })
}

/** Whether a key is acted on by `gatehouse oauth2-proxy`, and by the proxy of a chain. */
function actedOn({ ignored, own }: ProxyKey): [asProgram: string, inChain: string] {
  const yes = own ? 'yes (ours)' : 'yes'
  if (!ignored) return [yes, yes]
  const no = `**${ignored.severity === 'error' ? 'refused' : 'no'}**: ${ignored.reason}`
  return [ignored.inChain ? yes : no, no]
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(configurationFile, configurationReference())
  writeFileSync(rulesFile, rulesMarkdown())
  writeFileSync(providersFile, providersReference())
  writeFileSync(oauth2ProxyFile, oauth2ProxyPage(readFileSync(oauth2ProxyFile, 'utf8')))
  writeFileSync(authserviceFile, authservicePage(readFileSync(authserviceFile, 'utf8')))
}
