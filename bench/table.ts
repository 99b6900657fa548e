/** Prints rows under a heading, columns aligned. */
export function printTable(heading: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd()
  console.log(
    [`\n${heading}`, line(columns), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n'),
  )
}

/** 12345 → `12.3 k` */
export function thousands(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} k` : value.toFixed(0)
}

/** Milliseconds: `1.23 ms`, `840 ms` */
export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`
}
