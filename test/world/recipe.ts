import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../docs/FRONTS.md', import.meta.url), 'utf8')

/**
 * A configuration as docs/FRONTS.md shows it under this file name, with its addresses replaced by those of a test.
 * @throws Error where the page has no such file, or the file none of an address.
 */
export function recipe(file: string, addresses: Readonly<Record<string, string>>): string {
  const start = page.indexOf(` ${file}\n`, page.search(new RegExp(`^\`\`\`\\w+ ${file}$`, 'm')))
  if (start < 0) throw new Error(`docs/FRONTS.md shows no ${file}`)
  const text = page.slice(start + file.length + 2, page.indexOf('\n```', start) + 1)
  const missing = Object.keys(addresses).filter((address) => !text.includes(address))
  if (missing.length > 0) throw new Error(`${file} of docs/FRONTS.md does not say ${missing.join(', ')}`)
  const written = Object.keys(addresses).map((address) => address.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return text.replace(new RegExp(written.join('|'), 'g'), (address) => addresses[address] ?? address)
}
