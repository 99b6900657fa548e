import { claimAt } from '../policy/claim-texts.ts'
import type { Claims } from '../policy/facts.ts'
import type { JwtRule } from '../policy/request-authentication.ts'
import type { GatewayMode } from './gateway-mode.ts'

/** The headers a verified token is told onward with, flat; `payload` is its second part as it came. */
export function claimHeaders(rule: JwtRule, claims: Claims, payload: string, mode: GatewayMode): readonly string[] {
  const flat: string[] = []
  if (rule.outputPayloadToHeader !== undefined) flat.push(rule.outputPayloadToHeader, payload)
  for (const { header, claim } of rule.outputClaimToHeaders) {
    const value = headerValue(valueAt(claims, claim, mode), header, mode)
    if (value !== undefined && value !== '') flat.push(header, value)
  }
  return flat
}

/** Nested claims are written with dots. Natively a claim whose own name has dots wins; Envoy never finds it. */
function valueAt(claims: Claims, path: string, mode: GatewayMode): unknown {
  return mode === 'native' && Object.hasOwn(claims, path) ? claims[path] : claimAt(claims, path.split('.'))
}

/**
 * A claim as a header's value (Envoy jwt_authn/authenticator.cc `addJWTClaimToHeader`). Lists and objects are base64 of
 * their JSON there; natively a list is its members joined with commas, group paths without their leading slash.
 */
function headerValue(value: unknown, header: string, mode: GatewayMode): string | undefined {
  if (typeof value === 'string') return mode === 'native' ? nativeText(value, header) : headerText(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return numberText(value)
  if (typeof value !== 'object' || value === null) return undefined
  if (mode === 'native' && Array.isArray(value)) return listText(value, header)
  return Buffer.from(mode === 'native' ? JSON.stringify(value) : protoJson(value)).toString('base64')
}

/** As protobuf writes JSON: `<` and `>` escaped. In which order it names members is chance there; here it is the token's. */
function protoJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>]/g, (character) => (character === '<' ? '\\u003c' : '\\u003e'))
}

/** Envoy writes a whole number that is not negative as it is and every other one as C's `%f`. */
function numberText(value: number): string {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 64 ? BigInt(value).toString() : value.toFixed(6)
}

/** A member with a comma is left out: whoever splits the header would read it as two. */
function listText(members: readonly unknown[], header: string): string | undefined {
  return members
    .flatMap((member) => (typeof member === 'string' || typeof member === 'number' ? String(member) : []))
    .flatMap((member) => nativeText(member, header) ?? [])
    .filter((member) => member !== '' && !member.includes(','))
    .join(',')
}

/** Blanks around a text are cut off on the way, so that one user or group would be taken for another. */
function nativeText(text: string, header: string): string | undefined {
  const name = groupName(text, header)
  return name.trim() === name ? headerText(name) : undefined
}

function groupName(name: string, header: string): string {
  return header.endsWith('groups') ? name.replace(/^\/+/, '') : name
}

/** UTF-8 as bytes, the way Envoy sends it; `undefined` where a control character would break the header. */
function headerText(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII needs no conversion
  return /^[\u0000-\u007f]*$/.test(value) ? value : Buffer.from(value, 'utf8').toString('latin1')
}
