import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '../kit/clock.ts'
import { type Jwk, publicJwk, thumbprint, type VerificationKey } from './jwk.ts'
import type { SigningKey } from './sign.ts'

const generateKeyPairAsync = promisify(generateKeyPair)

/** Where a ring's keys are kept; `add` answers `false` when another replica stored that generation first. */
export interface SigningKeyStore {
  list(): Promise<readonly StoredKey[]>
  add(key: StoredKey): Promise<boolean>
  remove(generation: number): Promise<void>
}

/** A key at rest. `activeFrom` in milliseconds since the epoch. */
export interface StoredKey {
  readonly generation: number
  readonly kid: string
  readonly algorithm: string
  readonly privateJwk: string
  readonly activeFrom: number
}

/** How often keys change and how long they overlap, in milliseconds. */
export interface RotationSchedule {
  /** How long a key signs; `Infinity` never rotates. */
  readonly period: number
  /** How long before it signs a key is published; longer than any verifier caches the key set. */
  readonly publishAhead: number
  /** How long after it last signed a key stays published: the longest life of a token it signed. */
  readonly keepAfter: number
}

/** The keys of one issuer: one signs, the next is already published, the previous ones still verify. */
export interface KeyRing {
  /** The key that signs now. */
  current(): Promise<SigningKey>
  /** Every key a verifier may need now, the signing one first. */
  verificationKeys(): Promise<readonly VerificationKey[]>
  /** The JWK Set to publish: signing key first, then upcoming and retired ones. */
  jwks(): Promise<{ readonly keys: readonly Jwk[] }>
}

interface LoadedKey extends StoredKey {
  readonly privateKey: KeyObject
  readonly publicJwk: Jwk & { kid: string }
  readonly verification: VerificationKey
}

/**
 * Opens a ring over its store. A key is published `publishAhead` before it signs and until `keepAfter` after it last
 * signed (architecture §6, invariant 7). Any number of replicas may share the store: a generation is created once.
 */
export function openKeyRing({
  store,
  clock,
  algorithm = 'RS256',
  schedule,
  kidOf = (jwk) => thumbprint(jwk),
}: {
  store: SigningKeyStore
  clock: Clock
  algorithm?: 'RS256' | 'ES256'
  schedule: RotationSchedule
  /** Names a new key; the default is its thumbprint. */
  kidOf?: (publicKey: Jwk) => string
}): KeyRing {
  let loaded: { keys: readonly LoadedKey[]; validUntil: number } | undefined
  let loading: Promise<readonly LoadedKey[]> | undefined

  async function keys(): Promise<readonly LoadedKey[]> {
    if (loaded && clock.now() < loaded.validUntil) return loaded.keys
    loading ??= refresh().finally(() => {
      loading = undefined
    })
    return loading
  }

  async function refresh(): Promise<readonly LoadedKey[]> {
    const now = clock.now()
    let stored = await store.list()
    const newest = stored.at(-1)
    if (!newest || newest.activeFrom + schedule.period - schedule.publishAhead <= now) {
      await addGeneration(newest, now)
      stored = await store.list()
    }
    const live = stored.filter((_, index) => isNeeded(stored[index + 1], now))
    for (const [index, key] of stored.entries()) {
      if (!isNeeded(stored[index + 1], now)) await store.remove(key.generation)
    }
    const fresh = live.map((key) => loaded?.keys.find(({ generation }) => generation === key.generation) ?? load(key))
    loaded = { keys: fresh, validUntil: nextChange(fresh, now) }
    return fresh
  }

  /** A key is needed until the last token it signed is dead: it stops signing when its successor starts. */
  function isNeeded(successor: StoredKey | undefined, now: number): boolean {
    return successor === undefined || now < successor.activeFrom + schedule.keepAfter
  }

  async function addGeneration(newest: StoredKey | undefined, now: number): Promise<void> {
    // The very first key has no verifier yet that could have cached an older set, so it signs at once.
    const activeFrom = newest ? Math.max(newest.activeFrom + schedule.period, now + schedule.publishAhead) : now
    const { privateKey } = await generate(algorithm)
    const privateJwk: Jwk = { ...privateKey.export({ format: 'jwk' }) }
    const kid = kidOf(privateJwk)
    await store.add({
      generation: (newest?.generation ?? 0) + 1,
      kid,
      algorithm,
      privateJwk: JSON.stringify(privateJwk),
      activeFrom,
    })
  }

  /** Another replica may have added a key, so the store is asked again well before the next one could sign. */
  function nextChange(fresh: readonly LoadedKey[], now: number): number {
    const changes = fresh.flatMap((key) => [
      key.activeFrom,
      key.activeFrom + schedule.period - schedule.publishAhead,
      key.activeFrom + schedule.keepAfter,
    ])
    const upcoming = changes.filter((at) => at > now)
    return Math.min(now + Math.max(1000, schedule.publishAhead / 2), ...upcoming)
  }

  const signing = (all: readonly LoadedKey[]): LoadedKey => {
    const now = clock.now()
    const active = all.filter((key) => key.activeFrom <= now).at(-1) ?? all[0]
    if (!active) throw new TypeError('a key ring holds at least one key')
    return active
  }

  const signingFirst = (all: readonly LoadedKey[]): LoadedKey[] => {
    const first = signing(all)
    return [first, ...all.filter((key) => key !== first).reverse()]
  }

  return {
    async current() {
      const { kid, algorithm: alg, privateKey } = signing(await keys())
      return { kid, alg, privateKey }
    },
    async verificationKeys() {
      return signingFirst(await keys()).map(({ verification }) => verification)
    },
    async jwks() {
      return { keys: signingFirst(await keys()).map((key) => key.publicJwk) }
    },
  }
}

function load(key: StoredKey): LoadedKey {
  const privateKey = createPrivateKey({ key: JSON.parse(key.privateJwk) as Jwk, format: 'jwk' })
  const jwk = publicJwk(privateKey, { kid: key.kid, alg: key.algorithm })
  return {
    ...key,
    privateKey,
    publicJwk: jwk,
    verification: { kid: key.kid, alg: key.algorithm, key: publicKeyOf(privateKey) },
  }
}

function publicKeyOf(privateKey: KeyObject): KeyObject {
  return createPublicKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))
}

function generate(algorithm: 'RS256' | 'ES256') {
  return algorithm === 'ES256'
    ? generateKeyPairAsync('ec', { namedCurve: 'prime256v1' })
    : generateKeyPairAsync('rsa', { modulusLength: 2048 })
}
