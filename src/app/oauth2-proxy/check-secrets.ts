import { closeSync, openSync, readFileSync } from 'node:fs'
import { publicSecret } from '../../config/known-public-secrets.ts'
import { namedSource, type Problems } from '../../kit/problems.ts'
import { alphaOf } from '../../proxy/alpha/alpha-of-config.ts'
import type { ProxyConfig } from '../../proxy/config.ts'
import { cookieKey } from '../../proxy/sessions/cookie-secret.ts'

const correctPath = 'correct the path, or its permissions'

/**
 * Names secrets everyone can read. They are refused (nothing is trusted by default), and
 * only told with `compat`.
 */
export function checkPublicSecrets(config: ProxyConfig, problems: Problems): void {
  const written = [
    ['cookie_secret', config.cookie_secret] as const,
    ...alphaOf(config).providers.map(({ clientSecret }) => ['client_secret', clientSecret] as const),
  ]
  for (const [key, secret] of written) {
    const known = publicSecret(secret)
    if (known === undefined) continue
    problems.add(
      config.compat ? 'warning' : 'error',
      namedSource('oauth2-proxy'),
      [key],
      `this secret is ${known}, so everyone knows it`,
      'generate your own, or keep it with --compat',
    )
  }
}

/**
 * Looks into the files of secrets, as oauth2-proxy does before it starts (pkg/validation). They are read to the byte: a
 * line end at the end of one is part of the secret.
 */
export function checkSecretFiles(config: ProxyConfig, problems: Problems): void {
  const source = namedSource('oauth2-proxy')
  const read = (key: string, path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      problems.error(source, [key], `\`${path}\` cannot be read`, correctPath)
      return undefined
    }
  }
  const { cookie_secret: secret, cookie_secret_file: file } = config
  const cookieSecret = secret === '' && file !== '' ? read('cookie_secret_file', file) : undefined
  if (cookieSecret !== undefined && cookieKey(cookieSecret) === undefined) {
    const length = Buffer.byteLength(cookieSecret)
    const hint = cookieSecret.endsWith('\n')
      ? 'take away the line end at its end'
      : 'write 32 random bytes as base64url'
    problems.error(source, ['cookie_secret_file'], `must hold 16, 24 or 32 bytes, but is ${length} bytes`, hint)
  }
  for (const { clientSecret, clientSecretFile } of alphaOf(config).providers) {
    if (clientSecret === '' && clientSecretFile !== '') read('client_secret_file', clientSecretFile)
  }
}

const fileKeys = [
  'authenticated_emails_file',
  'htpasswd_file',
  'jwt_key_file',
  'oidc_public_key_files',
  'provider_ca_files',
  'redis_ca_path',
  'tls_cert_file',
  'tls_key_file',
] as const

/** Names the files that keep the program from starting since nobody can read them. */
export function checkNamedFiles(config: ProxyConfig, problems: Problems): void {
  for (const key of fileKeys) {
    for (const path of [config[key]].flat()) {
      if (path === '' || isReadable(path)) continue
      problems.error(namedSource('oauth2-proxy'), [key], `\`${path}\` cannot be read`, correctPath)
    }
  }
}

/** Whether there can be a log at all. */
export function checkLogFile({ logging_filename: path }: ProxyConfig, problems: Problems): void {
  if (path === '') return
  try {
    closeSync(openSync(path, 'a'))
  } catch {
    problems.error(namedSource('oauth2-proxy'), ['logging_filename'], `\`${path}\` cannot be written`, correctPath)
  }
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
