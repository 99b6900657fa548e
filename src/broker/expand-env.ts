/** What an expansion gave, and the variables it wanted that are not set. */
export interface Expansion {
  readonly text: string
  readonly missing: readonly string[]
}

/**
 * Replaces `$VAR` and `${VAR}` as Go's `os.ExpandEnv` does: an unset variable is empty, there is no escape (`$$` names
 * the variable `$`), and a `$` before anything else stands for itself.
 */
export function expandEnv(text: string, env: Readonly<Record<string, string | undefined>>): Expansion {
  const missing: string[] = []
  const expanded = text.replace(
    /\$(?:\{([^}]*)\}|(\{)|([*#$@!?\-0-9])|([A-Za-z0-9_]+))/g,
    (_match, braced?: string, open?: string, special?: string, plain?: string) => {
      if (open !== undefined || braced === '') return '' // bad syntax is eaten
      const name = braced ?? special ?? plain ?? ''
      const value = env[name]
      if (value === undefined) missing.push(name)
      return value ?? ''
    },
  )
  return { text: expanded, missing }
}
