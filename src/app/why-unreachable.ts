/** Why `fetch` got no answer, in words to go on with, in parentheses behind `cannot be reached`; '' where it is not told. */
export function whyUnreachable(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  if (!(cause instanceof Error)) return ''
  const { code = '' } = cause as NodeJS.ErrnoException
  if (/SELF_SIGNED|_ISSUER_CERT|VERIFY_LEAF/.test(code)) return unknownAuthority
  return ` (${words[code] ?? (code === '' ? cause.message : code)})`
}

const unknownAuthority = ' (its certificate is of an unknown authority; name a file with it in NODE_EXTRA_CA_CERTS)'

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; write http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; write http://',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}
