/** Names whose values prove something or lead to something that does. */
const telling =
  /token|secret|passw|code|state|key|sig|auth|session|assertion|credential|nonce|ticket|hint|jwt|otp|cookie/i
/** What looks like a JWT is one, wherever it stands. */
const jwt = /ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g

/** A path with its query, fit to be kept: values of telling parameters and everything like a token are `…`. */
export function withoutSecrets(target: string): string {
  const mark = target.indexOf('?')
  const path = (mark < 0 ? target : target.slice(0, mark)).replace(jwt, '…')
  if (mark < 0) return path
  const pairs = target.slice(mark + 1).split('&')
  const kept = pairs.map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 0) return pair.replace(jwt, '…')
    const name = pair.slice(0, equals)
    return telling.test(decoded(name)) ? `${name}=…` : pair.replace(jwt, '…')
  })
  return `${path}?${kept.join('&')}`
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
