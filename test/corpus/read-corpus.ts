/**
 * The corpus: what Istio's own tests ask of it, as our own tables. A table is a list of groups; a group is Istio
 * resources and rows, and a row is a request with the answer it must get. The same tables are run through the engine,
 * the reference evaluator, a live gateway and a real Envoy.
 */
import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { publicJwk } from '../../src/tokens/jwk.ts'
import type { JsonObject } from '../../src/tokens/jwt.ts'
import { signJwt } from '../../src/tokens/sign.ts'

const headerValues = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

const rowSchema = z.strictObject({
  method: z.string().default('GET'),
  path: z.string(),
  host: z.string().default('platform.example.com'),
  /** Sent as `Authorization: Bearer …`. */
  token: z.string().optional(),
  headers: headerValues.default({}),
  /** The body. */
  sends: z.string().optional(),
  /** The address the client connects from, one of this machine's 127.0.0.0/8. */
  from: z.string().default('127.0.0.1'),
  status: z.number(),
  body: z.string().optional(),
  /** The `www-authenticate` of the answer, HOST standing for the origin. */
  challenge: z.string().optional(),
  /** What the app receives: its target, and headers (`null`: must not arrive). */
  target: z.string().optional(),
  arrives: z.record(z.string(), z.string().nullable()).default({}),
})

const groupSchema = z.strictObject({
  name: z.string(),
  mesh: z.record(z.string(), z.unknown()).default({}),
  /** istiod's PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS. */
  severalProviders: z.boolean().default(false),
  /** Our own translation for Envoy cannot do this. */
  needsIstiod: z.boolean().default(false),
  resources: z.array(z.record(z.string(), z.unknown())).default([]),
  rows: z.array(rowSchema),
})

/** What a gateway is given to enforce. */
export interface Enforced {
  readonly severalProviders?: boolean
  readonly mesh: Readonly<Record<string, unknown>>
  readonly resources: readonly Readonly<Record<string, unknown>>[]
}

export type CorpusRow = z.infer<typeof rowSchema>
export type CorpusGroup = z.infer<typeof groupSchema> & { readonly topic: string }

const directory = new URL('.', import.meta.url)

/** Every group of every table, or of those named. */
export function readCorpus(topics?: readonly string[]): readonly CorpusGroup[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.yaml') && name !== 'tokens.yaml')
  return names
    .map((name) => basename(name, '.yaml'))
    .filter((topic) => topics === undefined || topics.includes(topic))
    .flatMap((topic) => readTable(topic))
}

function readTable(topic: string): readonly CorpusGroup[] {
  const text = readFileSync(new URL(`${topic}.yaml`, directory), 'utf8')
  const parsed = z.array(groupSchema).safeParse(parse(text, { merge: true }))
  if (!parsed.success) throw new Error(`test/corpus/${topic}.yaml: ${z.prettifyError(parsed.error)}`)
  return parsed.data.map((group) => ({ topic, ...group }))
}

/** What a row is called in a report. */
export function rowTitle({ method, path, host, token, headers, from, status, sends }: CorpusRow): string {
  const more = [
    sends === undefined ? '' : ` of ${sends.length} bytes`,
    host === 'platform.example.com' ? '' : ` at ${host}`,
    token === undefined ? '' : ` as ${token}`,
    Object.keys(headers).length === 0 ? '' : ` with ${JSON.stringify(headers)}`,
    from === '127.0.0.1' ? '' : ` from ${from}`,
  ]
  return `${method} ${path}${more.join('')} → ${status}`
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const signingKey = { kid: 'k1', alg: 'RS256', privateKey }

/** The key set every issuer of the corpus has; `jwks: KEYS` in a table stands for it. */
export const keySetText = JSON.stringify({ keys: [publicJwk(privateKey, signingKey)] })

const tokenSchema = z.record(
  z.string(),
  z.union([
    z.strictObject({
      claims: z.record(z.string(), z.unknown()),
      signed: z.literal('foreign').optional(),
      /** Beside `alg` and `kid`. */
      header: z.record(z.string(), z.unknown()).default({}),
    }),
    z.strictObject({ text: z.string() }),
  ]),
)
export const tokenTable = tokenSchema.parse(parse(readFileSync(new URL('tokens.yaml', directory), 'utf8')))

/** Every token of the table as it is sent, by name. */
export async function mintTokens(): Promise<ReadonlyMap<string, string>> {
  const minted = Object.entries(tokenTable).map(async ([name, entry]) => {
    if ('text' in entry) return [name, entry.text] as const
    const key = entry.signed === 'foreign' ? { ...signingKey, privateKey: foreignKey } : signingKey
    return [name, await signJwt(entry.claims as JsonObject, key, entry.header as JsonObject)] as const // YAML of plain values is JSON
  })
  return new Map(await Promise.all(minted))
}

/** A text with `{token:NAME}` and `{payload:NAME}` (the token's second part) written out. */
export function withTokens(text: string, tokens: ReadonlyMap<string, string>): string {
  return text.replace(/\{(token|payload):([^}]+)\}/g, (_, part: string, name: string) => {
    const token = tokens.get(name)
    if (token === undefined) throw new Error(`no token \`${name}\` in test/corpus/tokens.yaml`)
    return part === 'token' ? token : (token.split('.')[1] ?? '')
  })
}

/** A text with every token in it named instead of written out: the inverse, for recordings. */
export function withTokenNames(text: string, tokens: ReadonlyMap<string, string>): string {
  let out = text
  for (const [name, token] of tokens) if (token.length > 40) out = out.replaceAll(token, `{token:${name}}`)
  for (const [name, token] of tokens) {
    const payload = token.split('.')[1] ?? ''
    if (token.length > 200) out = out.replaceAll(payload, `{payload:${name}}`)
  }
  return out
}

/** The groups our own translation for Envoy can do: it makes one route to the app and reads no VirtualService. */
export function corpusForEnvoy(groups = readCorpus()): readonly CorpusGroup[] {
  return groups.filter(({ resources, needsIstiod }) => {
    return !needsIstiod && !resources.some(({ kind }) => kind === 'VirtualService')
  })
}

/** The resources of a group as documents: keys filled in, and a route to the app where the group has none. */
export function resourcesOf(group: Enforced, listenerPort: number): readonly unknown[] {
  const resources = group.resources.some(({ kind }) => kind === 'VirtualService')
    ? group.resources
    : [...group.resources, catchAll]
  const text = JSON.stringify(resources)
    .replaceAll('"KEYS"', JSON.stringify(keySetText))
    .replaceAll('"PORT"', `"${listenerPort}"`)
  const documents: unknown[] = JSON.parse(text)
  return Object.keys(group.mesh).length === 0 ? documents : [group.mesh, ...documents]
}

const catchAll = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'app', namespace: 'apps' },
  spec: {
    hosts: ['*'],
    gateways: ['istio-system/edge'],
    http: [{ route: [{ destination: { host: 'app.apps.svc.cluster.local', port: { number: 80 } } }] }],
  },
}
