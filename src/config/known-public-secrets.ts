/**
 * Secrets everyone can read, because they are committed in public manifests and guides: whoever still uses one has
 * none. Outside demo mode they are refused (architecture §6, invariant 4).
 */
const knownPublicSecrets: ReadonlyMap<string, string> = new Map([
  ['7d16fee92f8d11b8940b081b3f8b8acb', "the cookie secret committed in Kubeflow's manifests"],
  ['pUBnBOY80SnXgjibTYM9ZWNzY2xreNGQok', "the client secret committed in Kubeflow's manifests"],
  ['$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72', "the hash of Kubeflow's default password 12341234"],
  ['$2y$12$ruoM7FqXrpVgaol44eRZW.4HWS8SAvg6KYVVSCIwKQPBmTpCm.EeO', "the hash of Kubeflow's default password 12341234"],
  ['ZXhhbXBsZS1hcHAtc2VjcmV0', "the client secret of Dex's example configuration"],
  ['$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W', "the hash of Dex's example password `password`"],
])

/** Where a secret is published; `undefined` for one that is not known to be. */
export function publicSecret(secret: string): string | undefined {
  return knownPublicSecrets.get(secret)
}

/** Whether a secret is missing: none, a guide's stand-in (`xxxxxxxx`, `YOUR_KEYCLOAK_CLIENT_SECRET`), an unset variable. */
export function isPlaceholderSecret(secret: unknown): boolean {
  if (secret === undefined || secret === null) return true
  return typeof secret === 'string' && (isStandInSecret(secret) || variableOf(secret) !== undefined)
}

/** The name of the variable a text stands for: `$CLIENT_SECRET`, `${CLIENT_SECRET}`. */
export function variableOf(text: string): string | undefined {
  const [, braced, plain] = /^\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))$/.exec(text) ?? []
  return braced ?? plain
}

/** Whether a text that is written where a secret belongs is none. */
export function isStandInSecret(secret: string): boolean {
  return /^(?:|x{4,}|\*+|<.*>|(?:YOUR|MY|REPLACE|CHANGE)[-_ ][A-Z_ -]*|CHANGE-?ME|CHANGEIT|TODO|TBD)$/i.test(secret)
}
