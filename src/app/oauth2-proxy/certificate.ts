import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { fail, GatehouseError } from '../../kit/errors.ts'
import type { SecretSource, ServerOptions } from '../../proxy/alpha/alpha-options.ts'
import { readSecret } from '../../proxy/alpha/secret-source.ts'
import { opensslCiphers } from './cipher-suites.ts'

type Tls = NonNullable<ServerOptions['tls']>

/**
 * Reads the certificate of a listener with its key, protocol versions and ciphers.
 * @throws GatehouseError `config` where one is missing or the two do not belong together.
 */
export function loadCertificate(tls: Tls | undefined): SecureContextOptions {
  if (!tls) return fail('config', 'no TLS config provided')
  const { minVersion, cipherSuites } = tls
  if (minVersion !== '' && minVersion !== 'TLS1.2' && minVersion !== 'TLS1.3') {
    fail('config', `unknown TLS MinVersion config provided: \`${minVersion}\`; write \`TLS1.2\` or \`TLS1.3\``)
  }
  const context: SecureContextOptions = {
    key: secretOf(tls.key, 'key'),
    cert: secretOf(tls.cert, 'certificate'),
    minVersion: minVersion === 'TLS1.3' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ...(cipherSuites.length > 0 ? { ciphers: opensslCiphers(cipherSuites) } : {}),
  }
  try {
    createSecureContext(context)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unreadable'
    throw new GatehouseError('config', `the TLS certificate and key cannot be used (${reason})`, { cause })
  }
  return context
}

/** The files a certificate is read from. */
export function certificateFiles(tls: Tls | undefined): string[] {
  return [tls?.cert?.fromFile, tls?.key?.fromFile].filter((file): file is string => Boolean(file))
}

function secretOf(source: SecretSource | undefined, what: string): string {
  return (source && readSecret(source)) || fail('config', `the TLS ${what} is missing`)
}
