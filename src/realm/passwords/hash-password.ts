import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { hashRaw } from '@node-rs/argon2'
import type { Random } from '../../kit/random.ts'
import type { StoredPassword } from './stored-password.ts'
import { openWorkQueue, type WorkQueueLimits } from './work-queue.ts'

const pbkdf2OnPool = promisify(pbkdf2)

/** Makes and checks password hashes, off the event loop and a few at a time. */
export interface PasswordHasher {
  /** An Argon2id hash with Keycloak's parameters. @throws GatehouseError `overloaded` */
  hash(password: string): Promise<StoredPassword>
  /**
   * Whether the hash is this password's; false for an unknown algorithm. `address`: who asks; one of them cannot take the
   * whole line. @throws GatehouseError `overloaded`
   */
  verify(password: string, stored: StoredPassword, address?: string): Promise<boolean>
}

/** Keycloak's default (Argon2PasswordHashProviderFactory): Argon2id 1.3, 7 MiB, 5 passes, 1 lane, 32 bytes. */
const argon2Parameters: StoredPassword['parameters'] = {
  hashIterations: 5,
  algorithm: 'argon2',
  additionalParameters: {
    hashLength: ['32'],
    memory: ['7168'],
    type: ['id'],
    version: ['1.3'],
    parallelism: ['1'],
  },
}

/** Of the hash's shape but of no password: checked for unknown users, so that they take as long as known ones. */
export const nobodysPassword: StoredPassword = {
  secret: { value: Buffer.alloc(32).toString('base64'), salt: Buffer.alloc(16).toString('base64') },
  parameters: argon2Parameters,
}

/** Opens the hasher; beyond `running` and `waiting` hashes at once it refuses. */
export function openPasswordHasher({
  random,
  running = 2,
  waiting = 100,
  waitingPerSource = 25,
}: { random: Random } & Partial<WorkQueueLimits>): PasswordHasher {
  const queue = openWorkQueue({ running, waiting, waitingPerSource })
  return {
    hash: (password) =>
      queue(async () => {
        const salt = random.bytes(16)
        const value = await argon2(password, salt, argon2Parameters)
        return {
          secret: { value: value.toString('base64'), salt: salt.toString('base64') },
          parameters: argon2Parameters,
        }
      }),
    verify: (password, stored, address) =>
      queue(async () => {
        const expected = Buffer.from(stored.secret.value, 'base64')
        const found = await derive(password, stored, expected.length)
        return found !== undefined && found.length === expected.length && timingSafeEqual(found, expected)
      }, address),
  }
}

/** Whether this hash should be replaced by a new one when its password is next seen. */
export function isOutdated({ parameters }: StoredPassword): boolean {
  return JSON.stringify(comparable(parameters)) !== JSON.stringify(comparable(argon2Parameters))
}

function comparable({ algorithm, hashIterations, additionalParameters }: StoredPassword['parameters']) {
  const names = ['hashLength', 'memory', 'type', 'version', 'parallelism']
  return [algorithm, hashIterations, ...names.map((name) => additionalParameters?.[name]?.[0])]
}

const pbkdf2Digests: Readonly<Record<string, string>> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
}

async function derive(password: string, { secret, parameters }: StoredPassword, length: number) {
  const salt = Buffer.from(secret.salt, 'base64')
  if (parameters.algorithm === 'argon2') return argon2(password, salt, parameters)
  const digest = pbkdf2Digests[parameters.algorithm]
  if (digest === undefined || length === 0) return undefined
  return pbkdf2OnPool(password, salt, parameters.hashIterations, length, digest)
}

const argon2Types: Readonly<Record<string, 0 | 1 | 2>> = { d: 0, i: 1, id: 2 }

function argon2(
  password: string,
  salt: Buffer,
  { hashIterations, additionalParameters }: StoredPassword['parameters'],
) {
  const number = (name: string, fallback: number) => Number(additionalParameters?.[name]?.[0] ?? fallback)
  return hashRaw(password, {
    salt,
    timeCost: hashIterations,
    memoryCost: number('memory', 7168),
    parallelism: number('parallelism', 1),
    outputLen: number('hashLength', 32),
    algorithm: argon2Types[additionalParameters?.['type']?.[0] ?? 'id'] ?? 2,
    version: additionalParameters?.['version']?.[0] === '1.0' ? 0 : 1,
  })
}
