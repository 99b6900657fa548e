import { chainExample } from '../chain-example.ts'
import type { Rule } from '../rule.ts'

/** A Dex at the root of the platform's origin. */
export const issuerWithoutPath: Rule = {
  id: 'issuer-without-path',
  severity: 'error',
  title: 'an issuer of Dex without a path, on the origin of the platform',
  why: 'Dex then claims every path, `/auth` and `/token` among them, and either the login or the apps answer 404.',
  remedy: 'Give the issuer a path, as in `https://platform.example.com/dex`.',
  bad: chainExample({ issuer: 'http://dex' }),
  good: chainExample({}),
}
