import type { RealmTables } from './tables.ts'

/** A user of a realm. */
export interface User {
  readonly id: string
  /** In lower case. */
  readonly username: string
  /** In lower case. */
  readonly email: string | undefined
  readonly emailVerified: boolean
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly enabled: boolean
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly requiredActions: readonly string[]
  /** Epoch seconds: tokens issued before are dead. */
  readonly notBefore: number
  /** The row id of the client whose service account this is. */
  readonly serviceAccountClientId: string | undefined
  readonly groupIds: readonly string[]
  readonly roleIds: readonly string[]
}

/** What a user is made from. */
export type NewUser = Pick<User, 'username'> & Partial<User>

type Row = RealmTables['realm_users']

/** The user of a row. */
export function toUser(row: Row, memberships: Pick<User, 'groupIds' | 'roleIds'>): User {
  return {
    id: row.id,
    username: row.username,
    email: row.email ?? undefined,
    emailVerified: row.email_verified === 1,
    firstName: row.first_name ?? undefined,
    lastName: row.last_name ?? undefined,
    enabled: row.enabled === 1,
    createdAt: Number(row.created_at),
    attributes: JSON.parse(row.json_attributes) as User['attributes'], // written by `toUserRow`
    requiredActions: JSON.parse(row.json_required_actions) as string[], // likewise
    notBefore: row.not_before,
    serviceAccountClientId: row.service_account_client_id ?? undefined,
    ...memberships,
  }
}

/** The row of a new user. `uniqueEmails`: no two users of the realm may share an address. */
export function toUserRow(
  user: NewUser,
  { id, realmId, uniqueEmails, now }: { id: string; realmId: string; uniqueEmails: boolean; now: number },
): Row {
  const email = user.email?.toLowerCase() ?? null
  return {
    id,
    realm_id: realmId,
    username: user.username.toLowerCase(),
    email,
    unique_email: uniqueEmails ? email : null,
    email_verified: user.emailVerified ? 1 : 0,
    first_name: user.firstName ?? null,
    last_name: user.lastName ?? null,
    enabled: user.enabled === false ? 0 : 1,
    created_at: user.createdAt ?? now,
    json_attributes: JSON.stringify(user.attributes ?? {}),
    json_required_actions: JSON.stringify(user.requiredActions ?? []),
    not_before: user.notBefore ?? 0,
    service_account_client_id: user.serviceAccountClientId ?? null,
  }
}
