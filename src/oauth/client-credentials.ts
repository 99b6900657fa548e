/** Client credentials as they came with a request. */
export interface PresentedCredentials {
  readonly clientId: string
  /** `undefined` where none was sent; an empty one is not the same. */
  readonly secret: string | undefined
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'none'
}

/**
 * Reads the client's credentials (RFC 6749 §2.3.1): HTTP Basic, both halves form-url-decoded, else the form fields.
 * `undefined` where no client is named or the Basic value is malformed.
 */
export function presentedCredentials(
  authorization: string | null,
  form: URLSearchParams,
): PresentedCredentials | undefined {
  const basic = /^basic +(.+)$/i.exec(authorization ?? '')
  if (basic) return parseBasic(basic[1] ?? '')
  const clientId = form.get('client_id')
  if (clientId === null) return undefined
  const secret = form.get('client_secret')
  return secret === null
    ? { clientId, secret: undefined, method: 'none' }
    : { clientId, secret, method: 'client_secret_post' }
}

function parseBasic(value: string): PresentedCredentials | undefined {
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  try {
    const [clientId, secret] = [text.slice(0, colon), text.slice(colon + 1)].map(formDecode)
    return { clientId: clientId ?? '', secret, method: 'client_secret_basic' }
  } catch {
    return undefined
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
