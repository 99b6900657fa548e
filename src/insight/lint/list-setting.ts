import type { Place } from '../../policy/reader.ts'
import { placeOf } from './places.ts'
import type { Subject } from './subject.ts'

/** A setting of oauth2-proxy that is a list, written as one or as a text with commas; `undefined` where it is not set. */
export function listSetting(
  { proxySetting }: Subject,
  key: string,
): { readonly values: readonly string[]; readonly place: Place } | undefined {
  const setting = proxySetting(key)
  if (!setting) return undefined
  const values = [setting.value].flat().flatMap((value) => String(value).split(','))
  return { values: values.map((value) => value.trim()).filter((value) => value !== ''), place: placeOf(setting) }
}
