import type { Kysely } from 'kysely'

/** A stored private key of one owner (a realm, the broker); `generation` counts from 1 and never repeats. */
export interface StoredSigningKey {
  readonly generation: number
  readonly kid: string
  readonly algorithm: string
  /** The private key as JWK text. */
  readonly privateJwk: string
  /** Milliseconds since the epoch: from here on the key signs. */
  readonly activeFrom: number
}

/** The table behind `openSigningKeys`. */
export interface SigningKeyTables {
  signing_keys: {
    owner: string
    generation: number
    kid: string
    algorithm: string
    private_jwk: string
    active_from: number
  }
}

/** One owner's keys. `add` is refused (`false`) where another replica has stored that generation already. */
export function openSigningKeys(database: Kysely<SigningKeyTables>, owner: string) {
  return {
    async list(): Promise<StoredSigningKey[]> {
      const rows = await database
        .selectFrom('signing_keys')
        .selectAll()
        .where('owner', '=', owner)
        .orderBy('generation')
        .execute()
      return rows.map(({ generation, kid, algorithm, private_jwk, active_from }) => ({
        generation,
        kid,
        algorithm,
        privateJwk: private_jwk,
        activeFrom: Number(active_from),
      }))
    },
    async add({ generation, kid, algorithm, privateJwk, activeFrom }: StoredSigningKey): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await database
        .insertInto('signing_keys')
        .values({ owner, generation, kid, algorithm, private_jwk: privateJwk, active_from: activeFrom })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return Number(numInsertedOrUpdatedRows) > 0
    },
    async remove(generation: number): Promise<void> {
      await database
        .deleteFrom('signing_keys')
        .where('owner', '=', owner)
        .where('generation', '=', generation)
        .execute()
    },
  }
}
