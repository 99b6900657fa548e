/** An object of a parsed document. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The value as an object; an empty one where it is none. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** The objects of a list; none where it is no list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

/** The texts of a list; none where it is no list. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** A value by its name in any case: Dex and oauth2-proxy match their keys so. */
export function valueAt(object: JsonObject, name: string): unknown {
  if (name in object) return object[name]
  const found = Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase())
  return found === undefined ? undefined : object[found]
}

/** The text at `name`, whatever the case of the key. */
export function textValue(object: JsonObject, name: string): string | undefined {
  const value = valueAt(object, name)
  return typeof value === 'string' ? value : undefined
}
