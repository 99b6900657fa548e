import { z } from 'zod'
import type { CredentialRepresentation } from '../representation.ts'

const parameterLists = z.record(z.string(), z.array(z.string())).nullish()

const secretSchema = z.object({ value: z.string(), salt: z.string(), additionalParameters: parameterLists })
const parametersSchema = z.object({
  hashIterations: z.int().min(1),
  algorithm: z.string(),
  additionalParameters: parameterLists,
})

/** A password at rest in Keycloak's form (PasswordSecretData, PasswordCredentialData): hash and salt in base64. */
export interface StoredPassword {
  readonly secret: { readonly value: string; readonly salt: string }
  readonly parameters: z.output<typeof parametersSchema>
}

/** Reads the two JSON texts of a stored password; `undefined` where they are no such thing. */
export function parseStoredPassword(secretText: string, parametersText: string): StoredPassword | undefined {
  const secret = secretSchema.safeParse(parseJson(secretText))
  const parameters = parametersSchema.safeParse(parseJson(parametersText))
  if (!secret.success || !parameters.success) return undefined
  return { secret: secret.data, parameters: parameters.data }
}

/** The hashed password of an imported credential, also in the form exports had before Keycloak 4; `undefined` where it has none. */
export function importedPassword(credential: CredentialRepresentation): StoredPassword | undefined {
  const { secretData, credentialData, hashedSaltedValue, salt, hashIterations, algorithm } = credential
  if (secretData !== undefined && credentialData !== undefined) return parseStoredPassword(secretData, credentialData)
  if (hashedSaltedValue === undefined || salt === undefined) return undefined
  return {
    secret: { value: hashedSaltedValue, salt },
    parameters: { hashIterations: hashIterations ?? 27_500, algorithm: algorithm ?? 'pbkdf2-sha256' },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
