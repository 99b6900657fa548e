import { isAbsolute, relative } from 'node:path'
import process from 'node:process'
import { portalApps } from '../app/portal-apps.ts'
import { isLocalUrl, localUrl, type RunningGatehouse, type StartOptions } from '../app/start-gatehouse.ts'
import { formatReport } from '../config/report.ts'
import { formatProblem } from '../kit/problems.ts'
import { style } from './terminal.ts'
import { productVersion } from './version.ts'

/** What `gatehouse up` prints once everything runs: where to go, as whom, what runs where, how to stop. */
export function upSummary(running: RunningGatehouse, { source }: Pick<StartOptions, 'source'>): string[] {
  const { publicUrl, port } = running
  const isMoved = port.used !== port.wanted && port.wanted !== 0
  const parts = partLines(running)
  const width = Math.max(...parts.map(([, path]) => path.length)) + publicUrl.length
  return [
    ...(source.kind === 'default' ? [] : readFilesLines(running, source.kind)),
    '',
    `  ${style.bold('Gatehouse')} ${style.dim(productVersion())}  ${style.good('ready')}`,
    '',
    `  ${style.bold('Open')}      ${style.link(`${publicUrl}/`)}${isMoved ? style.warning(`   (port ${port.wanted} is taken, so ${port.used})`) : ''}`,
    ...listenLines(running),
    ...signInLines(running, source.kind),
    '',
    `  ${style.bold('Running')}`,
    ...parts.map(
      ([name, path, what]) => `    ${name.padEnd(9)} ${`${publicUrl}${path}`.padEnd(width)}   ${style.dim(what)}`,
    ),
    '',
    `  ${style.bold('State')}     ${shownPath(running.dataDirectory)}  ${style.dim('(database, keys, secrets; --reset starts over)')}`,
    ...(running.realm
      ? [`  ${style.bold('Users')}     ${usersCommand(running)}  ${style.dim('(list, add, disable, reset passwords)')}`]
      : []),
    `  ${style.bold('Stop')}      ${style.dim('Ctrl-C')}`,
    '',
  ]
}

/** What was read, and what in it deserves a second look. */
function readFilesLines({ chain, warnings }: RunningGatehouse, kind: StartOptions['source']['kind']): string[] {
  // A gatehouse.yaml leaves open what the default chain has; of a platform's own files, what is missing is news.
  const lines = chain.report.lines.filter(({ file }) => kind === 'directory' || file !== undefined)
  const report = formatReport({ lines }).trimEnd()
  return [
    ...(report === '' ? [] : [report]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((problem) => style.warning(formatProblem(problem)))]),
  ]
}

/** Where a chain waits whose address leads there by way of something else. */
function listenLines({ publicUrl, port }: RunningGatehouse): string[] {
  const isLocal = isLocalUrl(publicUrl)
  if (isLocal && publicUrl === localUrl(port.used)) return []
  const hint = `${isLocal ? 'this machine only' : 'every interface'}, plain HTTP; ${publicUrl} must lead here`
  return [`  ${style.bold('Listens')}   port ${port.used}  ${style.dim(`(${hint})`)}`]
}

function shownPath(directory: string): string {
  const near = relative(process.cwd(), directory) || '.'
  return near.startsWith('..') || isAbsolute(near) ? directory : near
}

function usersCommand({ dataDirectory, realm }: RunningGatehouse): string {
  const directory = shownPath(dataDirectory)
  const data = directory === '.gatehouse' ? '' : ` --data ${directory}`
  return `npm run gatehouse -- users${data}${realm?.isOnly === false ? ` --realm ${realm.name}` : ''}`
}

function signInLines(running: RunningGatehouse, kind: StartOptions['source']['kind']): string[] {
  const { newUsers, knownUsers, realm } = running
  const label = `  ${style.bold('Sign in')}   `
  if (newUsers.length === 0 && knownUsers.length === 0) {
    return [
      realm
        ? `${label}no users yet; add one: ${usersCommand(running).replace(' users', ' users add you@example.com')}`
        : `${label}${style.dim('with the users of your identity provider')}`,
    ]
  }
  if (newUsers.length === 0) {
    const more = knownUsers.length > 5 ? ', …' : ''
    const hint = kind === 'default' ? '(passwords as before)' : '(passwords as before, or as in your files)'
    return [`${label}${knownUsers.slice(0, 5).join(', ')}${more}  ${style.dim(hint)}`]
  }
  const rows = newUsers.map(
    ({ email, password, groups }, index) =>
      `${index === 0 ? label : ' '.repeat(12)}${email.padEnd(20)} ${style.bold(password)}   ${style.dim(groups.map((group) => group.replace(/^\//, '')).join(', '))}`,
  )
  return [...rows, `            ${style.dim('these passwords are shown only now')}`]
}

type PartLine = readonly [name: string, path: string, what: string]

function partLines({ chain }: RunningGatehouse): PartLine[] {
  const { broker, proxy, realm } = chain
  const realms = realm?.realms.map(
    (one): PartLine => ['realm', `/auth/realms/${one.realm}`, 'identity provider (Keycloak), an issuer for apps'],
  )
  const stoodInFor = proxy?.authservice ? 'oidc-authservice' : 'oauth2-proxy'
  return [
    ['gateway', '/', `Istio policies, routes, identity headers${chain.gatewayMode === 'istio' ? ' (mode istio)' : ''}`],
    ...(proxy ? [['proxy', `${proxy.proxy_prefix}/sign_in`, `sessions and checks (${stoodInFor})`] as const] : []),
    ...(broker ? [['broker', new URL(broker.issuer).pathname, 'OIDC broker (Dex), an issuer for apps'] as const] : []),
    ...(realms ?? []),
    ...appLines(chain),
  ]
}

/** The apps of the portal; of many, the first. */
function appLines(chain: RunningGatehouse['chain']): PartLine[] {
  const demoApps: Readonly<Record<string, PartLine>> = {
    '/echo/': ['echo', '/echo/', 'demo app: reads the identity headers'],
    '/notes/': ['notes', '/notes/', 'demo app: signs users in by itself'],
  }
  const shown = 8
  const apps = portalApps(chain).map(({ href }) => demoApps[href] ?? (['app', href, 'behind the gateway'] as const))
  return apps.length > shown ? [...apps.slice(0, shown), ['…', '/', `and ${apps.length - shown} more`]] : apps
}
