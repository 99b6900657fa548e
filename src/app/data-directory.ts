/**
 * Room `app`: the composition root. It opens the parts from one configuration, gives them their dependencies, and
 * starts and stops them; it decides nothing about sign-in itself.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { GatehouseError } from '../kit/errors.ts'
import { type Random, randomText } from '../kit/random.ts'
import { isDatabaseInUse } from '../store/database-in-use.ts'

/** Secrets made at the first run and kept; nobody chooses them and none has a default. */
export interface Secrets {
  /** Seals pre-login state and the state blobs of every part. */
  readonly state: string
  /** oauth2-proxy's `cookie_secret`: 32 bytes, base64url. */
  readonly cookie: string
  /** Client secrets by client id. */
  readonly clients: Readonly<Record<string, string>>
}

/** Files of refusals in a data directory, the current one first. */
export const decisionFiles = ['decisions.jsonl', 'decisions.1.jsonl'] as const

/** The directory a `gatehouse up` keeps its state in, readable by its owner only. */
export interface DataDirectory {
  readonly databaseFile: string
  readonly secrets: Secrets
  /** Whether this call created it. */
  readonly isNew: boolean
}

const clientIds = ['gatehouse-broker', 'gatehouse-proxy', 'notes'] as const

/**
 * Opens the directory, creating it (mode 0700, files 0600) where it is missing.
 * @throws GatehouseError `data_directory` where it cannot be read or written.
 */
export function openDataDirectory(
  path: string,
  { random, reset = false }: { random: Random; reset?: boolean },
): DataDirectory {
  const secretsFile = join(path, 'secrets.json')
  const databaseFile = join(path, 'gatehouse.db')
  try {
    if (reset && isDatabaseInUse(databaseFile)) {
      throw new GatehouseError('data_directory', `a chain runs on \`${path}\`; stop it (Ctrl-C), then --reset`)
    }
    if (reset) removeState([secretsFile, databaseFile, ...decisionFiles.map((name) => join(path, name))])
    makeDirectories(path)
    const isNew = !existsSync(secretsFile)
    if (isNew) writeDurably(secretsFile, `${JSON.stringify(newSecrets(random), null, 2)}\n`)
    closeSync(openSync(databaseFile, 'a', 0o600))
    for (const file of [secretsFile, databaseFile]) chmodSync(file, 0o600)
    return { databaseFile, secrets: readSecrets(secretsFile), isNew }
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GatehouseError(
      'data_directory',
      `the data directory \`${path}\` cannot be used (${reason}); choose another with --data`,
      { cause },
    )
  }
}

/** One by one: Node's own `recursive` never ends where a parent is there and takes no directories (`/proc`). */
function makeDirectories(path: string): void {
  if (existsSync(path)) return
  makeDirectories(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another process was faster
  }
}

/** Only what Gatehouse has written goes: a mistyped `--data` never deletes anything else. */
function removeState(files: readonly string[]): void {
  for (const file of files.flatMap((name) => [name, `${name}-wal`, `${name}-shm`])) rmSync(file, { force: true })
}

function newSecrets(random: Random): Secrets {
  return {
    state: randomText(random),
    cookie: randomText(random),
    clients: Object.fromEntries(clientIds.map((id) => [id, randomText(random)])),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readSecrets(file: string): Secrets {
  const { state, cookie, clients } = (parsed(readFileSync(file, 'utf8')) ?? {}) as Partial<Secrets>
  if (typeof state !== 'string' || typeof cookie !== 'string' || typeof clients !== 'object') {
    throw new GatehouseError(
      'data_directory',
      `\`${file}\` does not hold Gatehouse's secrets; remove it, or start over with --reset`,
    )
  }
  return { state, cookie, clients }
}

/** Written beside, flushed, then renamed: a crash leaves the whole file or none. */
function writeDurably(file: string, text: string): void {
  const fresh = `${file}.new`
  const descriptor = openSync(fresh, 'w', 0o600)
  writeSync(descriptor, text)
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(fresh, file)
}
