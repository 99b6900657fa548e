import { bytesOfText, escapeGoPath } from './go-path.ts'

/** What is in a directory, as Go's `http.FileServer` shows it. */
export function directoryListing(entries: readonly { readonly name: string; readonly isDirectory: boolean }[]): string {
  const lines = entries
    .map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => {
      const path = escapeGoPath(bytesOfText(name))
      // a name with a colon would be taken for a scheme
      return `<a href="${path.split('/')[0]?.includes(':') ? './' : ''}${path}">${escaped(name)}</a>\n`
    })
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join('')}</pre>\n`
}

/** As Go writes them (`htmlReplacer` of net/http). */
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (one) => entities[one] ?? one)
}
