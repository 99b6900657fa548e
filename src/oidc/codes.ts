import { OAuthError } from '../oauth/errors.ts'

/** Where authorization codes are kept: records with expiry whose use is counted atomically. */
export interface CodeRecords<Grant> {
  create(id: string, value: Grant, expiresAt: number): Promise<boolean>
  use(id: string): Promise<{ readonly value: Grant; readonly uses: number } | undefined>
}

/**
 * Redeems an authorization code: exactly one caller gets its grant, under any concurrency (RFC 6749 §4.1.2: “The client
 * MUST NOT use the authorization code more than once”). A second use revokes what the first one issued.
 * @throws OAuthError `invalid_grant` with `description` for an unknown, expired or used code.
 */
export async function redeemCode<Grant>(
  code: string,
  {
    codes,
    revoke,
    description,
  }: { codes: Pick<CodeRecords<Grant>, 'use'>; revoke: (grant: Grant) => Promise<void>; description: string },
): Promise<Grant> {
  const used = await codes.use(code)
  if (!used) throw new OAuthError('invalid_grant', description, { detail: 'the code is unknown or has expired' })
  if (used.uses === 1) return used.value
  await revoke(used.value)
  throw new OAuthError('invalid_grant', description, { detail: 'the code was used before' })
}
