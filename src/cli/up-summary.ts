import { relative } from 'node:path'
import process from 'node:process'
import type { RunningGatehouse, StartOptions } from '../app/start-gatehouse.ts'
import { formatReport } from '../config/report.ts'
import { formatProblem } from '../kit/problems.ts'
import { style } from './terminal.ts'
import { productVersion } from './version.ts'

/** What `gatehouse up` prints once everything runs: where to go, as whom, what runs where, how to stop. */
export function upSummary(running: RunningGatehouse, { source, dataDirectory }: StartOptions): string[] {
  const { publicUrl, port, newUsers, knownUsers } = running
  const isMoved = port.used !== port.wanted && port.wanted !== 0
  return [
    ...(source.kind === 'default' ? [] : readFilesLines(running)),
    '',
    `  ${style.bold('Gatehouse')} ${style.dim(productVersion())}  ${style.good('ready')}`,
    '',
    `  ${style.bold('Open')}      ${style.link(`${publicUrl}/`)}${isMoved ? style.warning(`   (port ${port.wanted} is taken, so ${port.used})`) : ''}`,
    ...signInLines(newUsers, knownUsers),
    '',
    `  ${style.bold('Running')}`,
    ...partLines(running).map(
      ([name, path, what]) =>
        `    ${name.padEnd(9)} ${`${publicUrl}${path}`.padEnd(publicUrl.length + 24)} ${style.dim(what)}`,
    ),
    '',
    ...(source.kind === 'file' ? [] : stateLines(dataDirectory)),
    `  ${style.bold('Stop')}      ${style.dim('Ctrl-C')}`,
    '',
  ]
}

/** What was read, and what in it deserves a second look. */
function readFilesLines({ chain, warnings }: RunningGatehouse): string[] {
  const report = formatReport(chain.report).trimEnd()
  return [
    ...(report === '' ? [] : [report]),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((problem) => style.warning(formatProblem(problem)))]),
  ]
}

function stateLines(dataDirectory: string): string[] {
  const directory = relative(process.cwd(), dataDirectory) || '.'
  const flag = directory === '.gatehouse' ? '' : ` --data ${directory}`
  return [
    `  ${style.bold('State')}     ${directory}  ${style.dim('(database, keys, secrets; --reset starts over)')}`,
    `  ${style.bold('Users')}     ${`npm run gatehouse -- users${flag}`}  ${style.dim('(list, add, disable, reset passwords)')}`,
  ]
}

function signInLines(newUsers: RunningGatehouse['newUsers'], knownUsers: readonly string[]): string[] {
  if (newUsers.length === 0) {
    const names = knownUsers.length === 0 ? 'no users yet' : knownUsers.slice(0, 5).join(', ')
    return [
      `  ${style.bold('Sign in')}   ${names}${knownUsers.length > 5 ? ', …' : ''}  ${style.dim('(passwords as before, or as in your files)')}`,
    ]
  }
  const rows = newUsers.map(({ email, password, groups }, index) => {
    const label = index === 0 ? `${style.bold('Sign in')}   ` : ' '.repeat(10)
    return `  ${label}${email.padEnd(20)} ${style.bold(password)}   ${style.dim(groups.map((group) => group.replace(/^\//, '')).join(', '))}`
  })
  return [...rows, `            ${style.dim('these passwords are shown only now')}`]
}

function partLines({ chain }: RunningGatehouse): (readonly [name: string, path: string, what: string])[] {
  const served = new Set(chain.hosts.values())
  const realms =
    chain.realm?.realms.map(
      ({ realm }) => ['realm', `/auth/realms/${realm}`, 'identity provider (Keycloak)'] as const,
    ) ?? []
  return [
    ['gateway', '/', 'Istio policies, routes, identity headers'] as const,
    ...(chain.proxy ? [['proxy', '/oauth2/', 'sessions and checks (oauth2-proxy)'] as const] : []),
    ...(chain.broker ? [['broker', '/dex', 'OIDC broker (Dex)'] as const] : []),
    ...realms,
    ...(served.has('echo') ? [['echo', '/echo/', 'demo app: reads the identity headers'] as const] : []),
    ...(served.has('notes') ? [['notes', '/notes/', 'demo app: signs users in by itself'] as const] : []),
  ]
}
