import { setTimeout } from 'node:timers/promises'
import type { Fetch } from '../http/part.ts'
import type { Log } from '../kit/log.ts'

/** A client that wants to know. */
export interface LogoutRecipient {
  readonly clientId: string
  /** From the client's configuration, never from a request. */
  readonly url: string
  /** A logout token for it; a new one for each try. */
  makeToken(): Promise<string>
}

/** Tells clients that a session has ended (OpenID Connect Back-Channel Logout 1.0 §2.5). */
export interface LogoutSender {
  /** Resolves when everyone has been tried once, and soon in any case: who does not answer is tried again meanwhile. */
  send(recipients: readonly LogoutRecipient[]): Promise<void>
  /** Gives up on whoever has not answered yet. */
  close(): void
}

const defaultTimes = { patience: 2000, timeout: 5000, pauses: [1000, 10_000, 60_000] }

/** Opens a sender. Times in milliseconds: `patience` of who waits for `send`, `timeout` of a try, `pauses` between tries. */
export function openLogoutSender({
  fetch,
  log,
  times: { patience, timeout, pauses } = defaultTimes,
}: {
  readonly fetch: Fetch
  readonly log: Log
  readonly times?: { readonly patience: number; readonly timeout: number; readonly pauses: readonly number[] }
}): LogoutSender {
  const closing = new AbortController()

  async function tryOnce({ clientId, url, makeToken }: LogoutRecipient): Promise<'told' | 'refused' | 'failed'> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: await makeToken() }),
        redirect: 'manual',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeout)]),
      })
      await response.body?.cancel()
      if (response.ok) return 'told'
      log.warn('back-channel logout not accepted', { clientId, url, status: response.status })
      return response.status < 500 ? 'refused' : 'failed'
    } catch (cause) {
      if (!closing.signal.aborted) log.warn('back-channel logout not delivered', { clientId, url, cause })
      return 'failed'
    }
  }

  async function tryAgain(recipient: LogoutRecipient): Promise<void> {
    for (const pause of pauses) {
      await sleep(pause, closing.signal)
      if (closing.signal.aborted) return
      if ((await tryOnce(recipient)) !== 'failed') return
    }
    log.error('back-channel logout given up', { clientId: recipient.clientId, url: recipient.url })
  }

  async function tell(recipient: LogoutRecipient): Promise<void> {
    if ((await tryOnce(recipient)) === 'failed') void tryAgain(recipient)
  }

  return {
    async send(recipients) {
      if (recipients.length === 0) return
      const enough = new AbortController()
      await Promise.race([Promise.all(recipients.map(tell)), sleep(patience, enough.signal)])
      enough.abort()
    },
    close: () => closing.abort(),
  }
}

/** Waits, but keeps no process alive; ends early when `signal` is aborted. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return setTimeout(milliseconds, undefined, { signal, ref: false }).catch(() => {})
}
