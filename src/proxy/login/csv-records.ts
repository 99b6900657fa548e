/**
 * The records of a CSV text as oauth2-proxy reads its files (Go encoding/csv with `Comment` and `TrimLeadingSpace`):
 * lines that begin with `#` and empty ones count for nothing, a field may be quoted.
 */
export function csvRecords(text: string, separator: ',' | ':'): string[][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => fieldsOf(line, separator))
}

function fieldsOf(line: string, separator: string): string[] {
  const field = new RegExp(`\\s*(?:"((?:[^"]|"")*)"|([^${separator}]*))(?:${separator}|$)`, 'y')
  const fields: string[] = []
  for (;;) {
    const match = field.exec(line)
    if (!match) return [...fields, line.slice(fields.length === 0 ? 0 : field.lastIndex)]
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (field.lastIndex >= line.length) return line.endsWith(separator) ? [...fields, ''] : fields
  }
}
