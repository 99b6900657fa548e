import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { Agent } from 'undici'
import type { Fetch } from './part.ts'

/** Which certificates of the other side are believed. */
export interface Trust {
  /** PEM files of authorities; the system's count for nothing beside them unless `withSystem`. */
  readonly caFiles: readonly string[]
  readonly withSystem: boolean
  /** Believes any certificate. */
  readonly isBlind: boolean
}

/**
 * The same `fetch` with its own idea of whom to believe, for the URLs this one asks only: nothing is switched off for
 * the process. @throws an error of the file system for a file that cannot be read.
 */
export function fetchWithTrust(fetch: Fetch, { caFiles, withSystem, isBlind }: Trust): Fetch {
  if (caFiles.length === 0 && !isBlind) return fetch
  const authorities = caFiles.map((file) => readFileSync(file, 'utf8'))
  const ca = authorities.length === 0 ? {} : { ca: withSystem ? [...rootCertificates, ...authorities] : authorities }
  const dispatcher = new Agent({ connect: { ...ca, rejectUnauthorized: !isBlind } })
  // A dispatcher is undici's own addition to `fetch`, which the types of the platform do not know.
  const addition: object = { dispatcher }
  return (input, init) => fetch(input, { ...init, ...addition })
}
