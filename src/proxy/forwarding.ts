import type { AlphaOptions } from './alpha/alpha-options.ts'
import { setCookieHeaders } from './answers.ts'
import type { CheckAnswer } from './check.ts'
import type { ProxyCore } from './core.ts'
import { compileInjectedHeaders } from './inject-headers.ts'

/**
 * Compiles what an answer that lets a request pass says to the one who forwards it: what the upstream is told of the
 * user, and what the browser is.
 */
export function compileForwarding({ injectRequestHeaders }: AlphaOptions): ProxyCore['forwarded'] {
  const injected = compileInjectedHeaders(injectRequestHeaders)
  return (answer, session) => {
    const toClient = answer.headers.slice(0, answer.headers.lastIndexOf('content-type'))
    return { ...answer, forwarding: { toUpstream: injected(session), toClient } }
  }
}

/** The same with the cookies of a session that was refreshed just now. */
export function withCookies(answer: CheckAnswer, setCookies: readonly string[] | undefined): CheckAnswer {
  const { forwarding } = answer
  if (!forwarding || !setCookies) return answer
  return {
    ...answer,
    forwarding: { ...forwarding, toClient: [...forwarding.toClient, ...setCookieHeaders(setCookies)] },
  }
}
