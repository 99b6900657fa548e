/** What a YAML document is written from. */
export type YamlValue = string | number | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue }

/**
 * YAML to the byte as Go's yaml.v3 marshals it: four columns a level, lists below their key, plain texts where they read
 * back as texts. For what tools compare with the original's output.
 */
export function goYaml(value: { readonly [key: string]: YamlValue }): string {
  return Object.keys(value).length === 0 ? '{}\n' : `${mapping(value, 0).join('\n')}\n`
}

function mapping(value: { readonly [key: string]: YamlValue }, column: number): string[] {
  return Object.entries(value).flatMap(([key, member]) => {
    const [first = '', ...rest] = node(member, column)
    return [`${' '.repeat(column)}${scalar(key, nextLevel(column))}:${first}`, ...rest]
  })
}

/** What stands behind a colon, and the lines below it. `column` is the one of its key. */
function node(value: YamlValue, column: number): string[] {
  const inner = nextLevel(column)
  if (isList(value)) return value.length === 0 ? [' []'] : ['', ...value.flatMap((item) => listItem(item, inner))]
  if (typeof value === 'object') {
    return Object.keys(value).length === 0 ? [' {}'] : ['', ...mapping(value, inner)]
  }
  const [first = '', ...rest] = scalar(value, inner).split('\n')
  return [` ${first}`, ...rest]
}

function listItem(item: YamlValue, column: number): string[] {
  const dash = `${' '.repeat(column)}- `
  if (isList(item) || typeof item !== 'object') return (dash + scalar(item, column + 2)).split('\n')
  if (Object.keys(item).length === 0) return [`${dash}{}`]
  const [first = '', ...rest] = mapping(item, column + 2)
  return [dash + first.slice(column + 2), ...rest]
}

/** The next multiple of four: what is inside a list item stands two columns in, and its members go on from there. */
function nextLevel(column: number): number {
  return 4 * Math.floor((column + 4) / 4)
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value)
}

/**
 * go.yaml.in/yaml/v3 encode.go `stringv` and emitterc.go `yaml_emitter_select_scalar_style`; the lines of a literal stand
 * at `column`.
 */
function scalar(value: YamlValue, column: number): string {
  if (typeof value !== 'string') return String(value)
  if (value.includes('\n') && isLiteral(value)) return literal(value, column)
  if (value.includes('\n') || readsAsOther(value) || isSpecial(value)) return doubleQuoted(value)
  return isPlain(value) ? value : `'${value.replaceAll("'", "''")}'`
}

function readsAsOther(text: string): boolean {
  return (
    /^(?:true|True|TRUE|false|False|FALSE|null|Null|NULL|~|)$/.test(text) ||
    /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/.test(text) ||
    /^[-+]?(?:\.(?:inf|Inf|INF)|\d[\d_]*|0[xX][\da-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+)$|^\.(?:nan|NaN|NAN)$/.test(
      text,
    ) ||
    /^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]+)?$/.test(text) ||
    /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(text) ||
    /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]| )\d{1,2}:\d{1,2}:\d{1,2}.*)?$/.test(text)
  )
}

function isPlain(text: string): boolean {
  return !/^(?:---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[-?:](?: |$)|:(?: |$)| #|^ | $/.test(text)
}

function isSpecial(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a plain text cannot hold
  return /[\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/u.test(text)
}

function isLiteral(text: string): boolean {
  return !/ \n| $/.test(text) && !isSpecial(text.replace(/[\n\t]/g, ''))
}

function literal(text: string, column: number): string {
  const hint = `${/^[ \n]/.test(text) ? '4' : ''}${text.endsWith('\n') ? (/(?:^|\n)\n$/.test(text) ? '+' : '') : '-'}`
  const lines = text.replace(/\n$/, '').split('\n')
  return [`|${hint}`, ...lines.map((line) => (line === '' ? '' : ' '.repeat(column) + line))].join('\n')
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '\x85': '\\N',
  '\ufeff': '\\uFEFF',
}

function doubleQuoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
  return `"${text.replace(/["\\\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/gu, escaped)}"`
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  if (Object.hasOwn(escapes, character)) return escapes[character] ?? ''
  if (code.length <= 2) return `\\x${code.padStart(2, '0')}`
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
}
