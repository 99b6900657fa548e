import type { Generated } from 'kysely'

/** The tables of the realm part. Times are milliseconds since the epoch; yes/no is 1/0; `json_…` columns hold JSON text. */
export interface RealmTables {
  realms: { id: string; name: string; json_settings: string }
  realm_clients: { id: string; realm_id: string; client_id: string; json_representation: string }
  realm_client_scopes: { id: string; realm_id: string; name: string; json_representation: string }
  /** `client_id` is the client's row id, empty for a realm role. */
  realm_roles: { id: string; realm_id: string; client_id: string; name: string; description: string | null }
  realm_role_composites: { parent_id: string; child_id: string }
  /** `by_hand` 1: made on the command line, so that it stays though no file names it. */
  realm_groups: {
    id: string
    realm_id: string
    parent_id: string | null
    path: string
    json_attributes: string
    by_hand: Generated<number>
  }
  realm_group_roles: { group_id: string; role_id: string }
  realm_users: {
    id: string
    realm_id: string
    username: string
    email: string | null
    /** The e-mail address where the realm demands that it is one user's only; else null. */
    unique_email: string | null
    email_verified: number
    first_name: string | null
    last_name: string | null
    enabled: number
    created_at: number
    json_attributes: string
    json_required_actions: string
    /** Epoch seconds: tokens issued before are dead. */
    not_before: number
    service_account_client_id: string | null
  }
  realm_credentials: {
    id: string
    user_id: string
    type: string
    json_secret: string
    json_parameters: string
    created_at: number
  }
  realm_user_groups: { user_id: string; group_id: string }
  realm_user_roles: { user_id: string; role_id: string }
  /** `offline` 1: the session behind offline tokens, which outlives the browser's session of the same id. */
  realm_sessions: {
    id: string
    offline: number
    realm_id: string
    user_id: string
    started_at: number
    last_refresh_at: number
    /** When the user proved who they are in a browser; null for sessions of the password grant. */
    authenticated_at: number | null
    remember_me: number
    client_address: string
  }
  /** `acr`: how the user signed in for this client: `1` with a password, `0` by the session's cookie. */
  realm_client_sessions: { session_id: string; offline: number; client_id: string; started_at: number; acr: string }
}
