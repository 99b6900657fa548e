import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GatehouseError } from '../../../kit/errors.ts'
import { signBytes } from '../../../tokens/algorithms.ts'
import type { ProviderOptions } from '../../alpha/provider-options.ts'
import { bearerHeaders, type KindProblem, type ProviderKind } from '../kind.ts'

const assertionSeconds = 300

/**
 * login.gov (oauth2-proxy providers/logingov.go): the client proves itself with a signed assertion, the ID token's keys
 * are at `pubjwk_url`, and the address comes verified from the userinfo.
 */
export const loginGov: ProviderKind = {
  title: 'login.gov',
  about: 'login.gov; the client signs an assertion with `jwt_key` or `jwt_key_file`',
  protocol: 'oidc',
  keys: ['jwt_key', 'jwt_key_file', 'pubjwk_url'],
  defaults: {
    loginURL: 'https://secure.login.gov/openid_connect/authorize',
    redeemURL: 'https://secure.login.gov/api/openid_connect/token',
    profileURL: 'https://secure.login.gov/api/openid_connect/userinfo',
    validateURL: 'https://secure.login.gov/api/openid_connect/userinfo',
    scope: 'email openid',
  },
  tokenHeaders: bearerHeaders,
  settle(options) {
    const { origin } = new URL(options.loginURL)
    const { pubjwkURL } = options.loginGovConfig
    const { issuerURL, jwksURL } = options.oidcConfig
    return {
      ...options,
      oidcConfig: {
        ...options.oidcConfig,
        issuerURL: issuerURL || `${origin}/`,
        jwksURL: pubjwkURL || jwksURL || `${origin}/api/openid_connect/certs`,
        skipDiscovery: true,
        insecureSkipNonce: false,
      },
    }
  },
  check,
  authorize(parameters) {
    if (!parameters.has('acr_values')) parameters.set('acr_values', 'http://idmanagement.gov/ns/assurance/loa/1')
  },
  clientAssertion(options) {
    let key: KeyObject | undefined
    const { clientID } = options
    return async ({ tokenUrl, nowSeconds, id }) => {
      key ??= createPrivateKey(pemOf(options))
      const claims = { iss: clientID, sub: clientID, aud: tokenUrl, exp: nowSeconds + assertionSeconds, jti: id }
      const input = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`
      return `${input}.${(await signBytes(input, key, 'RS256')).toString('base64url')}`
    }
  },
  identify(session, claims) {
    if (claims['email_verified'] === true) return session
    throw new GatehouseError('email_not_verified', 'the e-mail address of this account is not verified')
  },
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function pemOf({ loginGovConfig: { jwtKey, jwtKeyFile } }: ProviderOptions): string {
  return jwtKey || readFileSync(jwtKeyFile, 'utf8')
}

function check(options: ProviderOptions): readonly KindProblem[] {
  const { jwtKey, jwtKeyFile } = options.loginGovConfig
  const problems: KindProblem[] = []
  if (jwtKey === '' && jwtKeyFile === '') {
    problems.push({ key: 'jwt_key', message: 'is missing', fix: 'set jwt_key or jwt_key_file to an RSA key in PEM' })
  } else if (jwtKey !== '' && jwtKeyFile !== '') {
    problems.push({ key: 'jwt_key_file', message: 'cannot be combined with jwt_key', fix: 'keep one of them' })
  } else if (!isPrivateKey(options)) {
    const key = jwtKey === '' ? 'jwt_key_file' : 'jwt_key'
    problems.push({ key, message: 'is no RSA private key', fix: 'write one in PEM' })
  }
  return problems
}

function isPrivateKey(options: ProviderOptions): boolean {
  try {
    return createPrivateKey(pemOf(options)).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}
