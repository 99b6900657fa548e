import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { GatehouseError } from '../../kit/errors.ts'
import { signJwt } from '../../tokens/sign.ts'
import type { ProviderOptions } from '../alpha/provider-options.ts'
import { memberAt, type ProviderApi, textAt } from './api.ts'

const auth = 'https://www.googleapis.com/auth'
const cloudPlatform = `${auth}/cloud-platform`
const tokenUrl = 'https://oauth2.googleapis.com/token'
const metadata = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default'
const metadataHeaders = { 'metadata-flavor': 'Google' }

/** Any of these is enough; the least is asked for first. */
const groupScopes = [
  'admin.directory.group.member.readonly',
  'admin.directory.group.readonly',
  'admin.directory.group.member',
  'admin.directory.group',
].map((name) => `${auth}/${name}`)

const userScopes: Readonly<Record<string, string>> = {
  cloud: cloudPlatform,
  user: `${auth}/admin.directory.user`,
}

interface Tools {
  readonly api: ProviderApi
  readonly nowSeconds: number
}

type GoogleConfig = ProviderOptions['googleConfig']
type Sign = (claims: Readonly<Record<string, unknown>>) => Promise<string>

/** Who signs in the administrator's name, how, and where that is exchanged. */
interface Signer {
  readonly email: string
  readonly tokenUrl: string
  readonly sign: Sign
}

/**
 * A token for Google's Admin SDK in an administrator's name (domain-wide delegation): by a service account's key file,
 * or by the credentials of the machine, which have the IAM API sign for them.
 * @throws GatehouseError `provider_refused` where Google grants none of the scopes.
 */
export async function googleAdminToken(config: GoogleConfig, tools: Tools): Promise<string> {
  const signer = config.useApplicationDefaultCredentials
    ? await machineSigner(config, tools)
    : await keyFileSigner(config.serviceAccountJson)
  const userScope = userScopes[config.adminAPIUserScope] ?? `${auth}/admin.directory.user.readonly`
  for (const scope of groupScopes) {
    const scopes = config.useOrganizationID ? `${scope} ${userScope}` : scope
    const token = await exchange(signer, { scope: scopes, subject: config.adminEmail }, tools)
    if (token !== undefined) return token
  }
  throw new GatehouseError('provider_refused', 'Google grants the service account none of the directory scopes')
}

/** The assertion grant (RFC 7523 §2.1); `undefined` where it is refused. */
async function exchange(
  { email, tokenUrl: url, sign }: Signer,
  { scope, subject }: { scope: string; subject?: string },
  { api, nowSeconds }: Tools,
): Promise<string | undefined> {
  const times = { iat: nowSeconds, exp: nowSeconds + 3600 }
  const assertion = await sign({ iss: email, aud: url, scope, ...times, ...(subject ? { sub: subject } : {}) })
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await api.json(url, { method: 'POST', headers, body: form.toString() }).catch((error: unknown) => {
    if (error instanceof GatehouseError && error.code === 'api_refused') return undefined
    throw error
  })
  return textAt(answer, 'access_token')
}

async function keyFileSigner(file: string): Promise<Signer> {
  const account: unknown = JSON.parse(await readFile(file, 'utf8'))
  const email = textAt(account, 'client_email')
  const pem = textAt(account, 'private_key')
  if (email === undefined || pem === undefined) {
    throw new GatehouseError('provider_refused', `\`${file}\` is no key file of a Google service account`)
  }
  const key = { kid: textAt(account, 'private_key_id') ?? '', alg: 'RS256', privateKey: createPrivateKey(pem) }
  return { email, tokenUrl: textAt(account, 'token_uri') ?? tokenUrl, sign: (claims) => signJwt(claims, key) }
}

/** Application default credentials: the file `GOOGLE_APPLICATION_CREDENTIALS` names, else the metadata server. */
async function machineSigner({ targetPrincipal }: GoogleConfig, tools: Tools): Promise<Signer> {
  const file = process.env['GOOGLE_APPLICATION_CREDENTIALS']
  const own = file ? await keyFileSigner(file) : undefined
  const token = own ? await exchange(own, { scope: cloudPlatform }, tools) : await metadataToken(tools)
  const email = targetPrincipal || own?.email || (await metadataEmail(tools))
  return { email, tokenUrl, sign: (claims) => signByIam(claims, { email, token: token ?? '', api: tools.api }) }
}

async function metadataToken({ api }: Tools): Promise<string | undefined> {
  return textAt(await api.json(`${metadata}/token`, { headers: metadataHeaders }), 'access_token')
}

async function metadataEmail({ api }: Tools): Promise<string> {
  const account = await api.json(`${metadata}/?recursive=true`, { headers: metadataHeaders })
  return String(memberAt(account, 'email') ?? '')
}

async function signByIam(
  claims: Readonly<Record<string, unknown>>,
  { email, token, api }: { email: string; token: string; api: ProviderApi },
): Promise<string> {
  const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:signJwt`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const answer = await api.json(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ payload: JSON.stringify(claims) }),
  })
  return textAt(answer, 'signedJwt') ?? ''
}
