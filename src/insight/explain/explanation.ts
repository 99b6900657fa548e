import type { RecordedCause, RecordedDecision } from '../../gateway/decision-ring.ts'
import type { Place } from '../../policy/reader.ts'

/** How one request was decided, layer by layer. Its JSON is `gatehouse explain --json`: fields are only ever added. */
export interface Explanation {
  readonly version: 1
  readonly request: {
    readonly method: string
    readonly url: string
    /** Who sends it: `anonymous`, or the user. */
    readonly as: string
    readonly from: string
  }
  readonly verdict: Verdict
  /** In the order the gateway works. */
  readonly layers: readonly Layer[]
  /** Changes that were tried and alter the verdict, the smallest first. */
  readonly suggestions: readonly Suggestion[]
  /** What could not be known here, in words. */
  readonly caveats: readonly string[]
  /** What a running gateway kept of the request, where one of its refusals is explained. */
  readonly recorded?: RecordedDecision
  /** What a running chain answered to the very request, where one was named. */
  readonly live?: { readonly status: number; readonly agrees: boolean; readonly requestId?: string }
}

/** What the client sees in the end. */
export interface Verdict {
  readonly isAllowed: boolean
  readonly status: number
  /** One line: who decided what. */
  readonly summary: string
  /** The body, where the chain writes it; a page's only by its title. */
  readonly body?: string
  readonly location?: string
}

/** One step of the chain. */
export interface Layer {
  readonly name: 'path' | 'headers' | 'route' | 'provider' | 'tokens' | 'policies' | 'websocket' | 'app'
  /** `stopped`: the request was answered here. `skipped`: it was never asked. */
  readonly outcome: 'passed' | 'stopped' | 'skipped'
  readonly summary: string
  readonly details: readonly Detail[]
}

/** One thing about a layer. */
export interface Detail {
  /** `decides`: this is why. `match` and `miss`: judged, and did or did not apply. */
  readonly mark: 'decides' | 'match' | 'miss' | 'info'
  readonly text: string
  readonly place?: Place
}

/** A change that alters the verdict; it was tried. */
export interface Suggestion {
  readonly kind: string
  readonly text: string
  readonly places: readonly Place[]
  /** Smaller is less to change. */
  readonly size: number
  /** What the verdict becomes. */
  readonly becomes: { readonly isAllowed: boolean; readonly status: number }
}

/** `istio.yaml:12`, as places are told. */
export function placeText({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`
}

/** Why a request was refused when it came, in a line. */
export function causeText(cause: RecordedCause): string {
  switch (cause.kind) {
    case 'token':
      return `the token was refused (${cause.text})`
    case 'provider':
      return `the provider \`${cause.provider}\` ${cause.isError ? 'failed' : 'refused'}`
    case 'policy':
      return cause.rule === 'none' ? 'no ALLOW rule matched' : `the rule was \`${cause.rule}\``
    case 'part':
      return `\`${cause.part}\` refused${cause.reason === '' ? '' : ` (${cause.reason})`}`
    case 'gateway':
      return cause.reason
  }
}
