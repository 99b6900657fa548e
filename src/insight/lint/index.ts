import { configuration } from './configuration.ts'
import type { Rule } from './rule.ts'
import { accountsShutOut } from './rules/accounts-shut-out.ts'
import { allowOnlyNegative } from './rules/allow-only-negative.ts'
import { apiServerAudience } from './rules/api-server-audience.ts'
import { arrayClaimToHeader } from './rules/array-claim-to-header.ts'
import { clientSecretMismatch } from './rules/client-secret-mismatch.ts'
import { cookieNotShown } from './rules/cookie-not-shown.ts'
import { cookieOutlivesToken } from './rules/cookie-outlives-token.ts'
import { corsBehindSignIn } from './rules/cors-behind-sign-in.ts'
import { customWithoutDeny } from './rules/custom-without-deny.ts'
import { denyByPath } from './rules/deny-by-path.ts'
import { denyWithoutPorts } from './rules/deny-without-ports.ts'
import { doubleStar } from './rules/double-star.ts'
import { dryRunCustom } from './rules/dry-run-custom.ts'
import { exemptInOneList } from './rules/exempt-in-one-list.ts'
import { exemptionWithoutSlash } from './rules/exemption-without-slash.ts'
import { forwardedHeaderUnsanitised } from './rules/forwarded-header-unsanitised.ts'
import { groupWithSlash } from './rules/group-with-slash.ts'
import { groupsStop } from './rules/groups-stop.ts'
import { headerOfOneIssuer } from './rules/header-of-one-issuer.ts'
import { hostWithoutPort } from './rules/host-without-port.ts'
import { identityHeaderUnsanitised } from './rules/identity-header-unsanitised.ts'
import { issuerMismatch } from './rules/issuer-mismatch.ts'
import { issuerWithoutPath } from './rules/issuer-without-path.ts'
import { jwksOfAnotherIssuer } from './rules/jwks-of-another-issuer.ts'
import { jwksUnreachable } from './rules/jwks-unreachable.ts'
import { logoutKeepsSession } from './rules/logout-keeps-session.ts'
import { noAudiences } from './rules/no-audiences.ts'
import { noSuchService } from './rules/no-such-service.ts'
import { notAmongFiles } from './rules/not-among-files.ts'
import { notPrincipalsInAllow } from './rules/not-principals-in-allow.ts'
import { overlappingPrefixes } from './rules/overlapping-prefixes.ts'
import { partWithoutRoute } from './rules/part-without-route.ts'
import { patternInUserName } from './rules/pattern-in-user-name.ts'
import { placeholderSecret } from './rules/placeholder-secret.ts'
import { policyOnRewrittenPath } from './rules/policy-on-rewritten-path.ts'
import { principalsWithoutAuthentication } from './rules/principals-without-authentication.ts'
import { providerNamePrefix } from './rules/provider-name-prefix.ts'
import { providerNeverAsked } from './rules/provider-never-asked.ts'
import { publicSecretRule } from './rules/public-secret.ts'
import { queryInPath } from './rules/query-in-path.ts'
import { redirectUriMismatch } from './rules/redirect-uri-mismatch.ts'
import { regularExpression } from './rules/regular-expression.ts'
import { scopeWithoutOpenid } from './rules/scope-without-openid.ts'
import { secondProvider } from './rules/second-provider.ts'
import { selectorMatchesNothing } from './rules/selector-matches-nothing.ts'
import { servicePort } from './rules/service-port.ts'
import { strayWildcard } from './rules/stray-wildcard.ts'
import { suffixExemption } from './rules/suffix-exemption.ts'
import { targetOfClassicGateway } from './rules/target-of-classic-gateway.ts'
import { tokenInCustom } from './rules/token-in-custom.ts'
import { tokenIssuer } from './rules/token-issuer.ts'
import { tokenNotHandedOn } from './rules/token-not-handed-on.ts'
import { tokenWithoutSub } from './rules/token-without-sub.ts'
import { unknownClient } from './rules/unknown-client.ts'
import { unknownGateway } from './rules/unknown-gateway.ts'
import { unknownProvider } from './rules/unknown-provider.ts'
import { unknownRealm } from './rules/unknown-realm.ts'

/** Every rule, in the order of the reference: lists of paths, agreement of the parts, identity, policies, routes. */
export const rules: readonly Rule[] = [
  configuration,
  exemptInOneList,
  doubleStar,
  strayWildcard,
  regularExpression,
  queryInPath,
  exemptionWithoutSlash,
  suffixExemption,
  redirectUriMismatch,
  issuerMismatch,
  tokenIssuer,
  jwksOfAnotherIssuer,
  issuerWithoutPath,
  unknownRealm,
  unknownClient,
  clientSecretMismatch,
  publicSecretRule,
  placeholderSecret,
  notAmongFiles,
  scopeWithoutOpenid,
  groupsStop,
  groupWithSlash,
  arrayClaimToHeader,
  tokenWithoutSub,
  cookieOutlivesToken,
  logoutKeepsSession,
  customWithoutDeny,
  providerNeverAsked,
  tokenNotHandedOn,
  cookieNotShown,
  unknownProvider,
  secondProvider,
  providerNamePrefix,
  tokenInCustom,
  dryRunCustom,
  principalsWithoutAuthentication,
  notPrincipalsInAllow,
  selectorMatchesNothing,
  targetOfClassicGateway,
  headerOfOneIssuer,
  identityHeaderUnsanitised,
  forwardedHeaderUnsanitised,
  patternInUserName,
  noAudiences,
  apiServerAudience,
  accountsShutOut,
  jwksUnreachable,
  allowOnlyNegative,
  denyByPath,
  denyWithoutPorts,
  hostWithoutPort,
  servicePort,
  noSuchService,
  unknownGateway,
  partWithoutRoute,
  overlappingPrefixes,
  policyOnRewrittenPath,
  corsBehindSignIn,
]
