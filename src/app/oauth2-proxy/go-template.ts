/** A template with its fields filled in. */
export type FilledTemplate<Field extends string> = (values: Readonly<Record<Field, string>>) => string

/**
 * Compiles the part of Go's text/template that log formats are made of: text and `{{.Field}}`.
 * @returns why it cannot be, where it uses more or a field that is not known.
 */
export function compileTemplate<Field extends string>(
  format: string,
  fields: readonly Field[],
): FilledTemplate<Field> | { readonly problem: string } {
  const parts = format.split(/\{\{(.*?)\}\}/s)
  const known: ReadonlySet<string> = new Set(fields)
  const steps: ({ readonly text: string } | { readonly field: Field })[] = []
  for (const [index, part] of parts.entries()) {
    const field = index % 2 === 1 ? /^\s*\.(\w+)\s*$/.exec(part)?.[1] : undefined
    if (index % 2 === 0) steps.push({ text: part })
    else if (field !== undefined && known.has(field))
      steps.push({ field: field as Field }) // it is in the set
    else return { problem: `\`{{${part}}}\` is not one of ${fields.map((name) => `{{.${name}}}`).join(' ')}` }
  }
  return (values) => {
    let line = ''
    for (const step of steps) line += 'text' in step ? step.text : values[step.field]
    return line
  }
}
