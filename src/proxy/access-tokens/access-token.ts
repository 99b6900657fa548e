/** What a token may do, as its owner chose. */
export interface TokenGrant {
  readonly label: string
  /** Paths it is good for, each with all below it; `/` for everything. */
  readonly paths: readonly string[]
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** A token as its owner sees it. */
export interface AccessToken extends TokenGrant {
  /** Names it; nobody can use it by that. */
  readonly id: string
  readonly createdAt: number
  /** By the hour; absent while it was never used. */
  readonly usedAt?: number
}
