import type { AuthRequest } from './auth-request.ts'
import type { Identity } from './connectors/connector.ts'

/** Someone who signed in for a client's request: what a code stands for. */
export interface Grant {
  readonly request: AuthRequest
  readonly connectorId: string
  readonly identity: Identity
  /** What the connector wants back at a refresh, sealed. */
  readonly connectorData?: string
  readonly sid?: string
}

/** A grant the user has still to approve. */
export interface PendingApproval {
  readonly grant: Grant
  /** Signs the approval URL (dex server/handlers.go). */
  readonly hmacKey: string
  /** Hash of the cookie of the browser that signed in. */
  readonly browser: string
}
