import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readablePassword } from '../app/demo-users.ts'
import { openDatabase } from '../app/open-gatehouse.ts'
import { systemClock } from '../kit/clock.ts'
import { GatehouseError } from '../kit/errors.ts'
import { nearestName } from '../kit/problems.ts'
import { systemRandom } from '../kit/random.ts'
import { openRealmUsers, type RealmUsers } from '../realm/users.ts'
import type { Command, CommandInput } from './command.ts'
import { print, style } from './terminal.ts'

/** What an action of `gatehouse users` works with. */
interface UsersInput {
  readonly users: RealmUsers
  readonly realm: string
  readonly options: CommandInput['options']
}

/** `gatehouse users ACTION`: what follows the action, and what it does. */
interface UsersAction {
  readonly arguments: readonly string[]
  run(input: UsersInput, ...values: readonly string[]): Promise<void>
}

/** A running chain looks every second for sessions that ended elsewhere, and tells its parts by back-channel. */
const signedOut = 'signed out: at once in the realm, within seconds everywhere else'

const actions: Readonly<Record<string, UsersAction>> = {
  list: { arguments: [], run: listUsers },
  add: { arguments: ['EMAIL'], run: addUser },
  'reset-password': { arguments: ['NAME'], run: resetPassword },
  groups: { arguments: ['NAME', 'GROUPS'], run: setGroups },
  'add-group': {
    arguments: ['GROUP'],
    run: ({ users, realm }, group = '') =>
      users
        .addGroup(realm, group)
        .then(() => done(`${group} is there; a running chain knows it from its next start on`)),
  },
  'remove-group': {
    arguments: ['GROUP'],
    run: ({ users, realm }, group = '') => users.removeGroup(realm, group).then(() => done(`${group} is removed`)),
  },
  disable: {
    arguments: ['NAME'],
    run: ({ users, realm }, name = '') =>
      users.setEnabled(realm, name, false).then(() => done(`${name} is disabled and ${signedOut}`)),
  },
  enable: {
    arguments: ['NAME'],
    run: ({ users, realm }, name = '') => users.setEnabled(realm, name, true).then(() => done(`${name} is enabled`)),
  },
  remove: {
    arguments: ['NAME'],
    run: ({ users, realm }, name = '') =>
      users.remove(realm, name).then(() => done(`${name} is removed and ${signedOut}`)),
  },
}

/** `gatehouse users` */
export const users: Command = {
  usage:
    '[list | add EMAIL | reset-password NAME | groups NAME GROUPS | add-group GROUP | remove-group GROUP | disable NAME | enable NAME | remove NAME]',
  summary: 'list, add and change the users of a chain, running or stopped',
  options: {
    data: { type: 'string', value: 'DIR', help: 'the data directory of the chain (default ./.gatehouse)' },
    realm: { type: 'string', value: 'NAME', help: 'the realm, where there is more than one' },
    username: { type: 'string', value: 'NAME', help: 'add: the user name (default: the part of the e-mail before @)' },
    'first-name': { type: 'string', value: 'NAME', help: 'add' },
    'last-name': { type: 'string', value: 'NAME', help: 'add' },
    groups: { type: 'string', value: 'A,B', help: 'add: groups, comma-separated, as paths (platform-users,team/ml)' },
    password: {
      type: 'string',
      value: 'TEXT',
      help: 'add, reset-password: the password (default: one is made and printed)',
    },
    json: { type: 'boolean', help: 'list: as JSON' },
  },
  details: [
    '  NAME is a user name or an e-mail. Passwords are kept as hashes only: one that is lost is reset, not shown.',
    '  A changed password, a disabled or a removed user ends that user’s sessions: in the realm at once, behind the',
    '  gateway and in apps that take back-channel logout within seconds. Programs with a token of their own are refused',
    '  when the proxy next asks for them (cookie_refresh, five minutes at most).',
    '  Groups come with the realm; add-group makes one more, and a running chain knows it from its next start on.',
  ].join('\n'),
  async run({ positionals, options }) {
    const [name = 'list', ...values] = positionals
    const action = findAction(name)
    if (values.length !== action.arguments.length) {
      throw new GatehouseError('usage', `write: gatehouse users ${[name, ...action.arguments].join(' ')}`)
    }
    const directory = resolve(String(options['data'] ?? '.gatehouse'))
    const file = join(directory, 'gatehouse.db')
    if (!existsSync(file)) {
      throw new GatehouseError(
        'data_directory',
        `there is no chain in \`${directory}\`; start one with gatehouse up, or name its directory with --data`,
      )
    }
    const database = await openDatabase(file)
    try {
      const realmUsers = openRealmUsers({ database, clock: systemClock, random: systemRandom })
      const realm = await chooseRealm(realmUsers, options['realm'])
      await action.run({ users: realmUsers, realm, options }, ...values)
      return 0
    } finally {
      await database.destroy()
    }
  },
}

function findAction(name: string): UsersAction {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (action) return action
  const near = nearestName(name, Object.keys(actions))
  throw new GatehouseError(
    'usage',
    `unknown action \`${name}\`${near ? `; did you mean \`${near}\`?` : ''} (known: ${Object.keys(actions).join(', ')})`,
  )
}

async function chooseRealm(realmUsers: RealmUsers, wanted: CommandInput['options'][string]): Promise<string> {
  const realms = await realmUsers.realms()
  if (typeof wanted === 'string') return wanted
  const [only] = realms
  if (only === undefined)
    throw new GatehouseError(
      'unknown_realm',
      'this chain has no realm of its own; its users are kept by its identity provider',
    )
  if (realms.length > 1) throw new GatehouseError('usage', `choose a realm with --realm (${realms.join(', ')})`)
  return only
}

async function listUsers({ users: realmUsers, realm, options }: UsersInput): Promise<void> {
  const found = await realmUsers.list(realm)
  if (options['json'] === true) return print(JSON.stringify(found, null, 2))
  if (found.length === 0) return print(`realm ${realm} has no users yet; add one: gatehouse users add EMAIL`)
  const width = Math.max(...found.map(({ username }) => username.length))
  const emailWidth = Math.max(...found.map(({ email }) => email?.length ?? 0))
  for (const { username, email = '', groups, enabled } of found) {
    const paths = groups.map((group) => group.replace(/^\//, '')).join(', ')
    print(
      `${style.bold(username.padEnd(width))}  ${email.padEnd(emailWidth)}  ${style.dim(paths)}${enabled ? '' : style.warning('  disabled')}`,
    )
  }
}

async function addUser({ users: realmUsers, realm, options }: UsersInput, email = ''): Promise<void> {
  if (!/^[^@\s]+@[^@\s]+$/.test(email)) throw new GatehouseError('usage', `\`${email}\` is no e-mail address`)
  const password = passwordFrom(options)
  const groups = options['groups']
  const { username } = await realmUsers.create(realm, {
    username: String(options['username'] ?? email.split('@')[0]),
    email,
    password,
    ...(typeof options['first-name'] === 'string' ? { firstName: options['first-name'] } : {}),
    ...(typeof options['last-name'] === 'string' ? { lastName: options['last-name'] } : {}),
    ...(typeof groups === 'string' ? { groups: splitGroups(groups) } : {}),
  })
  done(
    `${username} may sign in${options['password'] === undefined ? ` with the password ${style.bold(password)}` : ''}`,
  )
}

async function resetPassword({ users: realmUsers, realm, options }: UsersInput, name = ''): Promise<void> {
  const password = passwordFrom(options)
  await realmUsers.setPassword(realm, name, password)
  const isMade = options['password'] === undefined
  done(`${name} has ${isMade ? `the new password ${style.bold(password)}` : 'the new password'} and is ${signedOut}`)
}

async function setGroups({ users: realmUsers, realm }: UsersInput, name = '', groups = ''): Promise<void> {
  await realmUsers.setGroups(realm, name, splitGroups(groups))
  done(
    `${name} is in ${splitGroups(groups).join(', ') || 'no group'}; apps see it from the next sign-in or token refresh on`,
  )
}

function splitGroups(text: string): string[] {
  return text
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
}

function passwordFrom({ password }: CommandInput['options']): string {
  if (password === '') throw new GatehouseError('usage', '--password must not be empty; leave it out and one is made')
  return typeof password === 'string' ? password : readablePassword(systemRandom)
}

function done(text: string): void {
  print(`${style.good('✓')} ${text}`)
}
