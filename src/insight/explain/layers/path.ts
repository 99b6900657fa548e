import { normalisePath } from '../../../gateway/normalise-path.ts'
import type { Detail, Layer } from '../explanation.ts'
import type { Situation, Walk } from '../situation.ts'

/** The path that is routed, judged and forwarded, and what made it differ from the one sent. */
export function explainPath({ request, gateway }: Situation, { facts }: Walk): Layer {
  const mode = gateway.meshConfig.pathNormalisation
  const [sent = ''] = request.target.split(/[?#]/)
  if (!facts) {
    return {
      name: 'path',
      outcome: 'stopped',
      summary: 'the request is malformed and refused before anything is judged',
      details: [{ mark: 'decides', text: malformation(request, mode) }],
    }
  }
  const details: Detail[] = []
  if (sent !== facts.path) {
    details.push({ mark: 'info', text: `sent as \`${sent}\`` })
    for (const text of changes(sent)) details.push({ mark: 'info', text: `${text} (pathNormalization ${mode})` })
  }
  return { name: 'path', outcome: 'passed', summary: `\`${facts.path}\``, details }
}

function malformation({ target, host }: Situation['request'], mode: Parameters<typeof normalisePath>[1]): string {
  if (!target.startsWith('/')) return `the target \`${target}\` does not begin with \`/\``
  const [path = ''] = target.split(/[?#]/)
  if (normalisePath(path, mode) === undefined) return 'the path holds a NUL (`%00`)'
  return `the host \`${host}\` is not one a URL can have, or there is not exactly one`
}

/** Each rule of normalisation, with what of a path it changes. */
const rules: readonly { readonly text: string; readonly applies: (path: string) => boolean }[] = [
  { text: 'dot segments are resolved', applies: (path) => /\/(?:\.|%2e)/i.test(path) },
  { text: '`\\` counts as `/`', applies: (path) => path.includes('\\') },
  {
    text: 'percent-encoding of characters that need none is undone',
    applies: (path) => /%(?:2d|2e|5f|7e|3\d|[46][1-9a-f]|[57][0-9a])/i.test(path),
  },
  {
    text: '`%2F` and `%5C` are decoded, as far as the mode asks for it',
    applies: (path) => /%(?:2f|5c)/i.test(path),
  },
  { text: 'repeated slashes are merged, as far as the mode asks for it', applies: (path) => path.includes('//') },
]

function changes(path: string): string[] {
  const found = rules.filter(({ applies }) => applies(path)).map(({ text }) => text)
  return found.length > 0 ? found : ['characters a path may not hold are percent-encoded']
}
