import type { Place } from '../../policy/reader.ts'
import { causeText, type Detail, type Explanation, type Layer, placeText } from './explanation.ts'

/** How text is emphasised; plain where nobody sees colours. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  warning(text: string): string
  problem(text: string): string
}

const titles: Readonly<Record<Layer['name'], string>> = {
  path: 'Path',
  headers: 'Headers',
  route: 'Route',
  provider: 'Provider',
  tokens: 'Tokens',
  policies: 'Policies',
  websocket: 'WebSocket',
  app: 'App',
}

/** An explanation for people, as lines. */
export function formatExplanation(explanation: Explanation, style: Style): string[] {
  const { request, verdict, layers, suggestions, caveats } = explanation
  const mark = verdict.isAllowed ? style.good('allowed') : style.problem('refused')
  return [
    `${style.bold(`${request.method} ${request.url}`)}  ${style.dim(`as ${request.as}, from ${request.from}`)}`,
    ...recordedLines(explanation, style),
    '',
    ...layers.flatMap((layer) => layerLines(layer, style)),
    '',
    `${style.bold('Verdict')}   ${mark} ${verdict.isAllowed ? '' : `${verdict.status} `}${style.dim('·')} ${verdict.summary}`,
    ...(verdict.location === undefined ? [] : [`          location: ${verdict.location}`]),
    ...(verdict.body === undefined ? [] : [`          body: ${verdict.body.trimEnd()}`]),
    ...liveLines(explanation, style),
    ...suggestionLines(explanation, suggestions, style),
    ...(caveats.length === 0 ? [] : ['', ...caveats.map((text) => style.dim(`Note: ${text}`))]),
  ]
}

function recordedLines({ recorded }: Explanation, style: Style): string[] {
  if (!recorded) return []
  const { requestId, at, status, cause } = recorded
  return [
    `${style.bold(requestId)}  ${style.dim(`${new Date(at).toISOString()}, answered ${status}: ${causeText(cause)}`)}`,
  ]
}

const elsewhere = 'it runs on other files; name them with -f'

function liveLines({ live, verdict }: Explanation, style: Style): string[] {
  if (!live) return []
  const { status, agrees, requestId } = live
  if (agrees) return [`${style.bold('Live')}      ${style.good('the running chain answers the same')} ${status}`]
  const id = requestId === undefined ? '' : `, request id ${requestId}`
  // the app's own answer is not known here
  if (verdict.isAllowed && requestId === undefined) return [`${style.bold('Live')}      the app answers ${status}`]
  const why = verdict.isAllowed ? `its app refuses (explain --request ${requestId}), or ${elsewhere}` : elsewhere
  return [`${style.bold('Live')}      ${style.problem(`the running chain answers ${status}`)}${id}: ${why}`]
}

function layerLines({ name, outcome, summary, details }: Layer, style: Style): string[] {
  const shown = outcome === 'stopped' ? style.problem(summary) : outcome === 'skipped' ? style.dim(summary) : summary
  return [`${style.bold(titles[name].padEnd(9))} ${shown}`, ...details.map((detail) => detailLine(detail, style))]
}

function detailLine({ mark, text, place }: Detail, style: Style): string {
  const signs = { decides: style.problem('▶'), match: style.good('✓'), miss: style.dim('✗'), info: style.dim('·') }
  const indent = /^ */.exec(text)?.[0] ?? ''
  return `          ${indent}${signs[mark]} ${text.trimStart()}${placeNote(place, style)}`
}

function placeNote(place: Place | undefined, style: Style): string {
  return place ? `  ${style.dim(placeText(place))}` : ''
}

function suggestionLines(
  { verdict, recorded }: Explanation,
  suggestions: Explanation['suggestions'],
  style: Style,
): string[] {
  // what a part or an app that is down refuses, no policy alters
  if (recorded && ['part', 'gateway'].includes(recorded.cause.kind) && suggestions.length === 0) return []
  if (suggestions.length === 0) {
    return ['', style.dim('No change tried alters this.')]
  }
  const rows = suggestions.map(({ text, places, becomes }, index) => {
    const result = becomes.isAllowed ? 'allowed' : `${becomes.status}`
    const where = places.map(placeText).join(', ')
    return `  ${index + 1}. ${text}  ${style.dim(`→ ${result}`)}${where === '' ? '' : `  ${style.dim(where)}`}`
  })
  const title = verdict.isAllowed ? 'What would change that' : 'Smallest change'
  return ['', `${style.bold(title)} ${style.dim('(each was tried)')}`, ...rows]
}
