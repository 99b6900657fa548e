import { writeFileSync } from 'node:fs'
import process from 'node:process'

/** A session as a program left it in a browser, and what that program says of it. */
export interface RecordedSession {
  readonly what: string
  readonly secret: string
  /** ISO 8601. */
  readonly recordedAt: string
  /** The `Cookie` header with the session in it. */
  readonly cookie: string
  readonly 'x-auth-request-email': string
  readonly 'x-auth-request-groups': string
}

/** What a run leaves behind for the replay in `test/compat`. */
export interface SessionRecording {
  /** With its version. */
  readonly program: string
  readonly cookieName: string
  readonly sessions: readonly RecordedSession[]
}

/** Whether this run is to renew the recording: `GATEHOUSE_RECORD=1 npm run test:interop`. */
export const isRecording = process.env['GATEHOUSE_RECORD'] === '1'

/** Writes `test/compat/oauth2-proxy/recorded-sessions.json`. */
export function recordSessions(recording: SessionRecording): void {
  const file = new URL('../compat/oauth2-proxy/recorded-sessions.json', import.meta.url)
  writeFileSync(file, `${JSON.stringify(recording, null, 2)}\n`)
}
