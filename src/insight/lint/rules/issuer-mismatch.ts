import { chainExample } from '../chain-example.ts'
import { placeIn, placeOf, seenAt, valueAtPath } from '../places.ts'
import type { Rule } from '../rule.ts'
import type { Subject } from '../subject.ts'

/** One issuer, spelled in two ways. */
export const issuerMismatch: Rule = {
  id: 'issuer-mismatch',
  severity: 'error',
  title: 'oauth2-proxy and Dex spell the issuer differently',
  why: 'Issuers are compared to the letter: a slash at the end, `http` for `https` or another host, and oauth2-proxy answers 500 after the login: `id token issued by a different provider`.',
  remedy: 'Copy `issuer` of Dex’s configuration into `oidc_issuer_url`.',
  bad: chainExample({ proxyIssuer: 'https://platform.example.com/dex/' }),
  good: chainExample({}),
  find: (subject) =>
    differing(subject).map(({ written, own, place }) => ({
      place,
      message: `is \`${written}\`, but the issuer of Dex is \`${own.issuer}\`${seenAt(own.place)}`,
      fix: 'write both alike, to the letter',
    })),
  /** Only a slash at the end: which host is right nobody can tell. */
  edits: (_, subject) =>
    differing(subject)
      .filter(({ written, own }) => written.replace(/\/$/, '') === own.issuer.replace(/\/$/, ''))
      .map(({ written, own, place }) => ({ kind: 'replace', place, from: written, to: own.issuer })),
}

function differing({ dex, proxySetting }: Subject) {
  const setting = proxySetting('oidc_issuer_url')
  const written = String(setting?.value ?? '')
  const issuer = dex && valueAtPath(dex.value, ['issuer'])
  if (!setting || !dex || typeof issuer !== 'string' || written.includes('/realms/') || written === issuer) return []
  return [{ written, place: placeOf(setting), own: { issuer, place: placeIn(dex, ['issuer']) } }]
}
